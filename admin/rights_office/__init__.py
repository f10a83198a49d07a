"""The rights officer's pages."""

from admin.rights_office import agreements, bindings, privacy, reports
from admin.rights_office.views import blueprint

__all__ = ["agreements", "bindings", "blueprint", "privacy", "reports"]
