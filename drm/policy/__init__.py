"""Deciding under agreements: pure, total, and the same answer for the same facts."""

from drm.policy.deciding import decide

__all__ = ["decide"]
