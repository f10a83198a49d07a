"""The QR code of a copy, painted module by module."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import segno

from drm.pdf.glyphs import place

QUIET_ZONE = 4
"""White modules around the code (ISO/IEC 18004)."""

MASK = 3
"""The pattern laid over the modules of every code. Readers take any of the eight from the code itself (ISO/IEC 18004, 7.8);
weighing all eight takes four times as long as the rest, and addresses are irregular enough under each."""


def draw_qr(address: str, x: float, y: float, side: float) -> bytes:
    """The operators for a code of level M in a square whose lower left corner is (x, y), quiet zone included."""
    matrix = segno.make(address, error="m", micro=False, mask=MASK).matrix
    return painted(packed_modules(matrix), len(matrix), x, y, side)


def packed_modules(matrix: Sequence[Sequence[int]]) -> int:
    """The modules as one number: a bit each, rows filled up to whole bytes, as image data has them."""
    width = -(-len(matrix) // 8) * 8
    return int("".join("".join("1" if module else "0" for module in row).ljust(width, "0") for row in matrix), 2)


def painted(modules: int, count: int, x: float, y: float, side: float) -> bytes:
    """The operators that paint packed modules: an inline stencil mask (ISO 32000-2, 8.9.6.2), a sixth of the rectangles.

    A reader scales it without smoothing, because /Interpolate is not set, so its edges are those of vectors.
    """
    size = count * -(-count // 8)
    light = modules ^ (1 << 8 * size) - 1  # a stencil paints where a sample is 0
    return b"%s%s>\nEI Q\n" % (_head(count, x, y, side), light.to_bytes(size, "big").hex().encode())


@functools.lru_cache(maxsize=256)
def _head(count: int, x: float, y: float, side: float) -> bytes:
    """What stands before the data: equal wherever the code has the same place."""
    module = side / (count + 2 * QUIET_ZONE)
    square = (count * module, count * module, x + QUIET_ZONE * module, y + QUIET_ZONE * module)
    wide, high, left, bottom = map(place, square)
    return b"q 0 g %s 0 0 %s %s %s cm\nBI/IM true/W %d/H %d/F/AHx ID\n" % (
        *(wide, high, left, bottom),
        *(count, count),
    )
