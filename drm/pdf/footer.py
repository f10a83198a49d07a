"""The stamp of one page size as a form XObject: the footer in its band and the line along the diagonal."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from drm.pdf.fonts import BOLD, REGULAR
from drm.pdf.glyphs import Lettering, number, place
from drm.pdf.ink import Band
from drm.pdf.lines import shortened
from drm.pdf.stamp_text import DOT, FooterText

SIZE = 7.0
"""Points of the footer on a page of common size."""

SMALLEST_SIZE = 5.0
"""Points below which footer text is rather shortened or put on a second line than set smaller."""

LEADING = 1.22
DESCENT, RULE_GAP = 0.28, 1.18
"""Room under the baseline and the height of the hairline above it, in footer sizes."""

DIAGONAL_SHARE, DIAGONAL_LARGEST = 0.82, 25.5
COMMON_SHORT_SIDE = (300.0, 700.0)
POSTER = 1200.0
"""Points along the diagonal of a page, from which on a line across it needs more exact numbers."""

FULL, OVER, FAINT = b"/RlF", b"/RlO", b"/RlD"
"""Names of the three graphics states: opaque, for a footer over ink, and for the diagonal."""


def page_scale(width: float, height: float) -> float:
    """1 for common pages; small pages get a smaller stamp, posters a larger one."""
    short = min(width, height)
    low, high = COMMON_SHORT_SIDE
    return short / low if short < low else max(1.0, short / high)


@dataclass(frozen=True)
class _Row:
    """One row of the footer: a text on the left, bold then plain, and one on the right."""

    bold: str
    plain: str
    right: str
    size: float


@dataclass(frozen=True)
class Footer:
    """A footer fitted into a length of ``length`` points; ``thickness`` is what it needs from rule to descenders."""

    length: float
    rows: tuple[_Row, ...]
    scale: float

    @property
    def thickness(self) -> float:
        """Points from the descenders of the last row to the hairline."""
        return sum(row.size for row in self.rows[1:]) * LEADING + self.rows[0].size * (DESCENT + RULE_GAP)


def fit_footer(lettering: Lettering, text: FooterText, length: float, scale: float) -> Footer:
    """Sets the footer as large as it goes: one row, else two. Delivery number and name are never shortened."""
    size, least = SIZE * scale, SMALLEST_SIZE * scale
    rest = DOT + text.rest if text.library else text.rest
    left = _left_width(lettering, text.library, rest)
    right = lettering.width(text.right, REGULAR, 1)
    gap = 2.0 if text.right else 0.0
    one = length / (left + gap + right)
    if one >= least:
        return Footer(length, (_Row(text.library, rest, text.right, min(size, one)),), scale)
    library = text.library
    if left * least > length and library:
        room = length - least * lettering.width(rest, REGULAR, 1)
        library = shortened(lettering, library, BOLD, least, room)
        rest = rest if library else text.rest
        left = _left_width(lettering, library, rest)
    first = _Row(library, rest, "", min(size, length / left))
    if not text.right:
        return Footer(length, (first,), scale)
    below = min(first.size, max(least * 0.8, length / right))
    return Footer(length, (first, _Row("", shortened(lettering, text.right, REGULAR, below, length), "", below)), scale)


def _left_width(lettering: Lettering, library: str, rest: str) -> float:
    return lettering.width(library, BOLD, 1) + lettering.width(rest, REGULAR, 1)


def draw_footer(lettering: Lettering, footer: Footer, x: float, y: float, overlap: bool) -> bytes:
    """The footer with its lowest edge at y; over ink it gets a pale plate and is not quite opaque."""
    parts = [b"q %s gs\n" % (OVER if overlap else FULL)]
    if overlap:
        plate = (x - 3, y - 1, footer.length + 6, footer.thickness + 2)
        parts.append(b"1 g %s %s %s %s re f\n" % tuple(map(place, plate)))
    top = y + footer.thickness
    parts.append(
        b".45 G %s w %s %s m %s %s l S .12 g .12 G\n"
        % tuple(map(place, (0.4 * footer.scale, x, top, x + footer.length, top)))
    )
    baseline = top - RULE_GAP * footer.rows[0].size
    for index, row in enumerate(footer.rows):
        baseline -= row.size * LEADING if index else 0
        pieces = [(row.bold, BOLD, x)] if row.bold else []
        pieces.append((row.plain, REGULAR, x + lettering.width(row.bold, BOLD, row.size)))
        if row.right:
            wide = lettering.width(row.right, REGULAR, row.size)
            pieces.append((row.right, REGULAR, x + footer.length - wide))
        parts.append(lettering.show_row(pieces, row.size, baseline))
    return b"".join([*parts, b"Q\n"])


def footer_length(width: float, height: float, band: Band) -> tuple[float, float]:
    """Where along its side the footer begins, and how long it is."""
    side = width if band.side in {"bottom", "top"} else height
    inset = min(0.095 * side, 60.0 * page_scale(width, height))
    return inset, side - 2 * inset


def draw_in_band(
    lettering: Lettering, footer: Footer, page: tuple[float, float], band: Band, *, overlap: bool
) -> bytes:
    """The footer on its side of a page of this width and height; on the left and right it reads upwards."""
    width, height = page
    start, _ = footer_length(width, height, band)
    if band.side == "bottom":
        return draw_footer(lettering, footer, start, band.distance, overlap)
    if band.side == "top":
        return draw_footer(lettering, footer, start, height - band.distance - footer.thickness, overlap)
    across = band.distance + footer.thickness if band.side == "left" else width - band.distance
    turned = draw_footer(lettering, footer, start, 0, overlap)
    return b"q 0 1 -1 0 %s 0 cm\n%sQ\n" % (number(across), turned)


def draw_diagonal(lettering: Lettering, text: str, width: float, height: float, *, opaque: bool = False) -> bytes:
    """One pale line from the lower left towards the upper right, in the middle of the page.

    An ``opaque`` one is only outlined, finely and in light grey, so that what is under it can be read.
    """
    room, largest, turn = _diagonal(width, height)
    unit = lettering.width(text, REGULAR, 1)
    size = math.floor(100 * min(largest, room / unit)) / 100  # nobody sees less, and each copy is told in fewer digits
    shown = lettering.show(text, REGULAR, size, -unit * size / 2, -0.33 * size)
    paint = FAINT + b" gs 0 g"
    if opaque:
        paint, shown = b"0.72 G %s w" % number(0.012 * size), shown.replace(b"0 Tr ", b"1 Tr ")
    return b"q %s %s cm\n%sQ\n" % (paint, turn, shown)


@functools.lru_cache(maxsize=1024)
def _diagonal(width: float, height: float) -> tuple[float, float, bytes]:
    """The room in points along the diagonal of a page, the largest size of its line, and how that is turned."""
    angle = math.atan2(height, width)
    cosine, sine = math.cos(angle), math.sin(angle)
    # a thousandth of a turn moves the line's ends by half a point at most, unless the page is a poster
    decimals = 3 if math.hypot(width, height) <= POSTER else 4
    turns = [round(one, decimals) for one in (cosine, sine, -sine, cosine)]
    turn = b" ".join(map(number, (*turns, width / 2, height / 2)))
    # the line's own thickness must stay inside at the corners of very flat pages
    largest = min(DIAGONAL_LARGEST * page_scale(width, height), 0.6 * min(width, height))
    return DIAGONAL_SHARE * math.hypot(width, height), largest, turn
