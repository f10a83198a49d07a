"""The QR code of a copy, drawn as vectors."""

from __future__ import annotations

import segno

from drm.pdf.glyphs import number

QUIET_ZONE = 4
"""White modules around the code (ISO/IEC 18004)."""


def draw_qr(address: str, x: float, y: float, side: float) -> bytes:
    """The operators for a code of level M in a square whose lower left corner is (x, y), quiet zone included."""
    matrix = segno.make(address, error="m", micro=False).matrix
    module = side / (len(matrix) + 2 * QUIET_ZONE)
    bars = []
    for row, line in enumerate(matrix):
        bottom = y + side - (QUIET_ZONE + row + 1) * module
        column = 0
        while column < len(line):
            end = column
            while end < len(line) and line[end]:
                end += 1
            if end > column:
                left = x + (QUIET_ZONE + column) * module
                size = (number(left), number(bottom), number((end - column) * module), number(module))
                bars.append(b"%s %s %s %s re" % size)
            column = end + 1
    return b"0 g\n" + b"\n".join(bars) + b"\nf\n"
