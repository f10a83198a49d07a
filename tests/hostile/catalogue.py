"""All hostile files, by name."""

from __future__ import annotations

from tests.hostile.active_files import active_files
from tests.hostile.drafts import Hostile
from tests.hostile.odd_files import odd_files
from tests.hostile.poison_files import poison_files
from tests.hostile.stream_files import stream_files
from tests.hostile.structure_files import structure_files

HOSTILE: tuple[Hostile, ...] = (*structure_files(), *stream_files(), *active_files(), *odd_files())
POISON: tuple[Hostile, ...] = tuple(poison_files())


def classes(files: tuple[Hostile, ...]) -> dict[str, list[Hostile]]:
    """The files by class, in the order of the catalogue."""
    found: dict[str, list[Hostile]] = {}
    for one in files:
        found.setdefault(one.kind, []).append(one)
    return found
