"""What a seeded bug is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """One seeded bug. ``old`` must stand exactly once in ``file``; at least one of ``tests`` must fail with ``new`` in its place."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
