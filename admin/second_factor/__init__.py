"""The pages on which staff prove a sign-in by a second factor, and set one up."""

from admin.second_factor import keys
from admin.second_factor.views import OPEN_TO_HALF, blueprint

__all__ = ["OPEN_TO_HALF", "blueprint", "keys"]
