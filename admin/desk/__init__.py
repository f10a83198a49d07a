"""The librarian's desk."""

from admin.desk.views import blueprint

__all__ = ["blueprint"]
