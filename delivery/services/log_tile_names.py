"""Which tiles of the log are kept, and which must be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from drm.audit.tiles import HEIGHT


@dataclass
class TilesKept:
    """How many tiles of each level follow one another from the first on, and the first that stands anywhere else."""

    counts: dict[int, int] = field(default_factory=dict)
    stray: tuple[object, object] | None = None


def tiles_kept(names: Iterable[tuple[object, object]]) -> TilesKept:
    """What is there, from level and number of each tile in their sequence."""
    kept = TilesKept()
    for level, number in names:
        if type(level) is not int or level < 0 or number != kept.counts.get(level, 0):
            kept.stray = (level, number)
            break
        kept.counts[level] = kept.counts.get(level, 0) + 1
    return kept


def names_problem(kept: TilesKept, size: int, signed: int) -> str:
    """What is wrong with that in a log of ``size`` events, ``signed`` of them under a checkpoint; "" where nothing is.

    All full tiles below a checkpoint were made before it. A full tile is made together with the one above that it fills.
    """
    if kept.stray is not None:
        level, number = kept.stray
        if type(level) is not int or type(number) is not int or level < 0 or not 0 <= number < _full(size, level):
            return f"there is a tile {number} of level {level}, which the events do not fill"
        return f"the tile {kept.counts.get(level, 0)} of level {level} is missing"
    lowest = kept.counts.get(0, 0)
    for level in sorted({0, *kept.counts, *range(size.bit_length() // HEIGHT)}):
        count, filled = kept.counts.get(level, 0), lowest >> HEIGHT * level
        if count > (filled if level else _full(size, 0)):
            return f"there is a tile {count - 1} of level {level}, which the events do not fill"
        if count < (filled if level else _full(signed, 0)):
            return f"the tile {count} of level {level} is missing"
    return ""


def _full(size: int, level: int) -> int:
    """How many full tiles of a level so many events give."""
    return size >> HEIGHT * (level + 1)
