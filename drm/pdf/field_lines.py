"""Draws the value of a form field of several lines, for which the PDF library sets one line only."""

from __future__ import annotations

import re

import pikepdf
from pikepdf import Array, Dictionary, Name, Object

from drm.pdf.fonts import REGULAR
from drm.pdf.geometry import box_of
from drm.pdf.glyphs import Lettering, number
from drm.pdf.lines import wrap

FONT = re.compile(rb"/([^\s/()<>\[\]{}%]+)\s+([-+]?[0-9.]+)\s+Tf")
USUAL_SIZE, EDGE, LEADING = 12.0, 2.0, 1.15
USUAL_WIDTH = 0.56
"""Of a letter in ems, where the font does not tell: a little more than the mean of Helvetica."""

MOST_LINES = 500


def lines_look(pdf: pikepdf.Pdf, rectangle: Object, text: str, default: bytes, fonts: Object) -> Object | None:
    """An appearance for ``text`` in a field of this rectangle; None without a default appearance that names a font.

    ``default`` is the field's /DA (ISO 32000-2, 12.7.4.3); the text is one of Windows-1252.
    """
    box, found = box_of(rectangle), FONT.search(default)
    if box is None or found is None:
        return None
    width, height = box[2] - box[0], box[3] - box[1]
    size = float(found[2]) or USUAL_SIZE
    font = fonts.get(f"/{found[1].decode('latin-1')}") if isinstance(fonts, Dictionary) else None
    rows = [row for line in text.splitlines() for row in _broken(line, (width - 2 * EDGE) / size, font)]
    shown = b" ".join(b"(%b) Tj T*" % _escaped(row) for row in rows[:MOST_LINES])
    start = tuple(map(number, (size * LEADING, EDGE, height - EDGE - size)))
    frame = tuple(map(number, (width, height)))
    size_set = default[: found.start(2)] + number(size) + default[found.end(2) :]
    look = pdf.make_stream(
        b"/Tx BMC q 0 0 %b %b re W n BT %b %b TL %b %b Td %b ET Q EMC" % (*frame, size_set, *start, shown)
    )
    look.Type, look.Subtype, look.BBox = Name.XObject, Name.Form, Array([0, 0, round(width, 3), round(height, 3)])
    return look


def lines_of(lettering: Lettering, line: str, size: float, width: float) -> list[str]:
    """A line of a value as lines of our own fonts that are no wider; an empty line stays one."""
    return wrap(lettering, line, REGULAR, size, max(width, size)) or [""]


def _broken(line: str, room: float, font: Object | None) -> list[bytes]:
    rows, row, used = list[bytes](), b"", 0.0
    for piece in line.encode("cp1252", "replace").split(b" "):
        wide = sum(_width(code, font) for code in piece)
        if row and used + _width(32, font) + wide > room:
            rows.append(row)
            row, used = piece, wide
        else:
            row, used = (row + b" " + piece, used + _width(32, font) + wide) if row else (piece, wide)
    return [*rows, row]


def _width(code: int, font: Object | None) -> float:
    """The width of a letter in ems."""
    widths = font.get("/Widths") if isinstance(font, Dictionary) else None
    first: object = font.get("/FirstChar") if isinstance(font, Dictionary) else None
    if isinstance(widths, Array) and isinstance(first, int) and 0 <= code - first < len(widths):
        try:
            return float(widths[code - first]) / 1000
        except (TypeError, ValueError):
            return USUAL_WIDTH
    return USUAL_WIDTH


def _escaped(row: bytes) -> bytes:
    return row.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
