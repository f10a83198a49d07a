"""The operator's pages."""

from admin.operating.views import blueprint

__all__ = ["blueprint"]
