"""What a blob may be called."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}(/[a-z0-9][a-z0-9._-]{0,120}){0,3}")
PIECE = 256 * 1024
"""Blobs are read and written in pieces of at most this many bytes."""


def checked(name: str) -> str:
    """The name itself; ValueError unless it is one to four lower-case path parts that lead nowhere else."""
    if not is_name(name):
        raise ValueError(f"not a blob name: {name!r}")
    return name


def is_name(name: str) -> bool:
    """Whether a blob may be called so."""
    return bool(NAME.fullmatch(name)) and ".." not in name and not name.startswith("work.tmp")
