"""Where the visible part of a page lies and how a reader sees it turned and scaled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import pikepdf

Sides = tuple[float, float, float, float]
LETTER: Sides = (0.0, 0.0, 612.0, 792.0)
DEEPEST = 64
WRITTEN = re.compile(rb"\[ " + rb"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?) " * 4 + rb"\]")
"""A rectangle as qpdf writes it: asking for its numbers one by one takes five times as long."""


@dataclass(frozen=True)
class View:
    """The visible box of a page in its own units, and how it is shown.

    ``width`` and ``height`` are in points as the reader sees them: turned upright, UserUnit applied.
    """

    left: float
    bottom: float
    right: float
    top: float
    rotate: int
    unit: float

    @property
    def width(self) -> float:
        """Points from left to right as shown."""
        return (self.top - self.bottom if self.rotate in {90, 270} else self.right - self.left) * self.unit

    @property
    def height(self) -> float:
        """Points from bottom to top as shown."""
        return (self.right - self.left if self.rotate in {90, 270} else self.top - self.bottom) * self.unit

    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """Takes points of the upright view, its lower left corner the origin, to units of the page."""
        scale = 1 / self.unit
        if self.rotate == 90:
            return 0, scale, -scale, 0, self.right, self.bottom
        if self.rotate == 180:
            return -scale, 0, 0, -scale, self.right, self.top
        if self.rotate == 270:
            return 0, -scale, scale, 0, self.left, self.top
        return scale, 0, 0, scale, self.left, self.bottom


def view_of(page: pikepdf.Object) -> View:
    """The view of a page dictionary: CropBox cut with MediaBox, both inherited, corners in any order.

    A missing or empty MediaBox counts as US Letter, a CropBox outside the MediaBox as no CropBox, a Rotate that is no
    multiple of 90 as 0: this is what PDF readers do.
    """
    return _shown(page, _sides(_inherited(page, "/MediaBox")), _sides(_inherited(page, "/CropBox")))


def _shown(page: pikepdf.Object, media: Sides | None, crop: Sides | None) -> View:
    unit = _number(page.get("/UserUnit")) if "/UserUnit" in page else None
    return _view(media, crop, _number(_inherited(page, "/Rotate")) or 0, unit or 1.0)


@lru_cache(maxsize=256)
def _view(media: Sides | None, crop: Sides | None, rotate: float, unit: float) -> View:
    """The view of a page with these entries; most pages of a document have the same ones."""
    media = _box(media) or LETTER
    crop = _box(crop) or media
    cut = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    left, bottom, right, top = cut if cut[0] < cut[2] and cut[1] < cut[3] else media
    return View(left, bottom, right, top, int(rotate) % 360 if rotate % 90 == 0 else 0, unit if unit > 0 else 1.0)


def size_and_view(page: pikepdf.Object) -> tuple[float, float, View]:
    """Width and height of the MediaBox as it is written, in units of the page, of US Letter where it cannot be read; the view."""
    media = _sides(_inherited(page, "/MediaBox"))
    x0, y0, x1, y1 = media or LETTER
    return abs(x1 - x0), abs(y1 - y0), _shown(page, media, _sides(_inherited(page, "/CropBox")))


def mended_view(page: pikepdf.Object) -> View:
    """The view of a page, after writing out what readers differ in.

    That is a MediaBox where there is none, and one for a CropBox that shows nothing of it.
    """
    written, cropped = _inherited(page, "/MediaBox"), _inherited(page, "/CropBox")
    view = _shown(page, _sides(written), _sides(cropped))
    media = box_of(written)
    if media is None:
        media = LETTER
        page.MediaBox = pikepdf.Array(media)
    crop = box_of(cropped)
    if crop is None:
        hidden = cropped is not None
    else:
        seen = max(media[0], crop[0]) < min(media[2], crop[2]) and max(media[1], crop[1]) < min(media[3], crop[3])
        hidden = not seen
    if hidden:
        page.CropBox = pikepdf.Array(media)
    return view


def _inherited(page: pikepdf.Object, key: str) -> object:
    node: object = page
    for _ in range(DEEPEST):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        value = node.get(key) if key in node else None  # asking for what is not there takes three times as long
        if value is not None:
            return value
        node = node.get("/Parent") if "/Parent" in node else None
    return None


def _number(value: object) -> float | None:
    kind = type(value)  # isinstance takes many times as long for unions, and each page is asked dozens of times
    return float(value) if kind is int or kind is Decimal or kind is float else None  # type: ignore[arg-type]


def _sides(value: object) -> Sides | None:
    """Four numbers as a rectangle names them; None for anything else."""
    if value is None:
        return None
    if isinstance(value, pikepdf.Array):
        written = WRITTEN.fullmatch(value.unparse())
        if written is not None:
            return float(written[1]), float(written[2]), float(written[3]), float(written[4])
    if not isinstance(value, pikepdf.Array | list | tuple) or len(value) != 4:
        return None
    x0, y0, x1, y1 = (_number(side) for side in value)
    return None if x0 is None or y0 is None or x1 is None or y1 is None else (x0, y0, x1, y1)


def box_of(value: object) -> Sides | None:
    """A rectangle as left, bottom, right, top, whatever corners it names; None for less than a unit, or no rectangle."""
    return _box(_sides(value))


def _box(sides: Sides | None) -> Sides | None:
    if sides is None:
        return None
    x0, y0, x1, y1 = sides
    left, bottom, right, top = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return (left, bottom, right, top) if right - left >= 1 and top - bottom >= 1 else None
