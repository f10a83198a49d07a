"""The rights officer's pages."""

from admin.rights_office import agreements, bindings, reports
from admin.rights_office.views import blueprint

__all__ = ["agreements", "bindings", "blueprint", "reports"]
