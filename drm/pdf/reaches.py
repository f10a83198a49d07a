"""The resources of a page as far as they tell where ink may be: above all, how far the glyphs of its fonts reach.

A font's program is not opened, which would take longer than rendering the page: outlines that reach beyond the box that the
font's descriptor names, and beyond what all fonts are granted, may come to lie under a footer. The stamp is on the page then
all the same, over them.
"""

from __future__ import annotations

import pikepdf
from pikepdf import Name

Reaches = dict[tuple[int, int], tuple[float, float]]
"""How far the glyphs of a document's fonts reach below and above the baseline, by the numbers of their objects."""

BELOW, ABOVE = 0.5, 1.2
"""How far glyphs reach below and above the baseline at least, in text sizes; a font that says more is believed."""


class Lost(Exception):
    """Something that is not followed."""


class Resources:
    """The fonts, forms and states of a page, as far as they tell where ink may be. Each is looked up once."""

    def __init__(self, resources: object, reaches: Reaches) -> None:
        self._all = resources if isinstance(resources, pikepdf.Dictionary) else pikepdf.Dictionary()
        self._known = reaches
        self._reaches: dict[bytes, tuple[float, float]] = {}

    def entry(self, kind: str, name: bytes) -> pikepdf.Object | None:
        """The resource of this name, None where there is none."""
        if b"#" in name:
            raise Lost
        group = self._all.get(kind)
        found = group.get(name.decode("ascii")) if isinstance(group, pikepdf.Dictionary) else None
        return found if isinstance(found, pikepdf.Object) else None

    def reach(self, name: bytes) -> tuple[float, float]:
        """How far glyphs of this font reach below and above the baseline, in text sizes."""
        if name not in self._reaches:
            font = self.entry("/Font", name)
            self._reaches[name] = (BELOW, ABOVE) if font is None else self._reach(font)
        return self._reaches[name]

    def _reach(self, font: pikepdf.Object) -> tuple[float, float]:
        if not font.is_indirect:
            return reach_of(font)
        if font.objgen not in self._known:
            self._known[font.objgen] = reach_of(font)
        return self._known[font.objgen]


def reach_of(font: pikepdf.Object) -> tuple[float, float]:
    """The same of any font; Lost for those whose glyphs may reach anywhere, or run downwards."""
    if font.get("/Subtype") == Name.Type3:
        raise Lost
    below = font.get("/DescendantFonts")
    if isinstance(below, pikepdf.Array):
        encoding = font.get("/Encoding")
        if not (isinstance(encoding, Name) and str(encoding).endswith("-H")):
            raise Lost
        font = below[0]
    descriptor = font.get("/FontDescriptor")
    box = descriptor.get("/FontBBox") if isinstance(descriptor, pikepdf.Dictionary) else None
    if box is None:
        return BELOW, ABOVE
    low, high = float(box[1]) / 1000, float(box[3]) / 1000
    return max(BELOW, -low), max(ABOVE, high)
