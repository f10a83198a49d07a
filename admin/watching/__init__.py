"""The page of alarms for librarians, rights officers and operators."""

from admin.watching.views import blueprint

__all__ = ["blueprint"]
