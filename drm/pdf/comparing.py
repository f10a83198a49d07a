"""Whether the pages of a copy look like those of its source, whichever engine made it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pypdfium2

from drm.pdf.lifting import take_stamp_off
from drm.pdf.passwords import open_by_pdfium
from drm.pdf.values import PdfRefused

COMPARED, PIXELS, MOST_SIDE = 4, 400, 1600
TOLERATED = 0.002
"""Share of the samples of a page that may differ from the source."""
SAME, SMALL = 1.0, 3.0
"""Points by which the sides of a page may differ; points of a side that can be compared."""
SEEN = ("annotation", "form", "XFA", "Alternates", "external data", "reference", "PostScript", "OPI")
"""What is removed from a document and may have been seen."""


def may_differ(removed: Collection[str], repaired: Collection[str]) -> bool:
    """Whether sanitising took away what may have been seen, so that a comparison with the source says nothing."""
    return any(kind.split("*")[0] in SEEN for kind in removed) or "structure" in repaired


class Comparison:
    """Compares the first pages behind the cover of a copy, without their stamps, with those of the source.

    With ``same_only`` nothing is said of a page of another size, which the library that draws finds elsewhere in the source than the
    one that copies, nor of one too small to show anything: where no other engine is left to ask.
    """

    def __init__(self, source: Path, password: str | None, same_only: bool = False) -> None:
        self._same_only = same_only
        self._original: pypdfium2.PdfDocument | None = None
        try:
            self._original = open_by_pdfium(source, password)
        except pypdfium2.PdfiumError:  # opens after a repair only, so there is nothing to compare with
            return

    def look(self, number: int, page: pypdfium2.PdfPage, lifted: bool) -> None:
        """PdfRefused ``output-invalid`` where this page of the copy (0 is the cover) looks unlike that of the source, without
        its stamp, which is taken off here where it was not ``lifted`` before."""
        if self._original is None or not 1 <= number <= min(COMPARED, len(self._original)):
            return
        try:
            original = self._original[number - 1]
            if self._same_only and not _may_be_same(original, page):
                return
            before = _samples(original)
        except (pypdfium2.PdfiumError, ValueError):  # a page that cannot be drawn, or is too small to be
            return
        if not lifted:
            take_stamp_off(page)
        if _difference(_samples(page), before) > TOLERATED:
            raise PdfRefused("output-invalid", f"Page {number} does not look like the page of the source.")


def _may_be_same(one: pypdfium2.PdfPage, other: pypdfium2.PdfPage) -> bool:
    sides = [*zip(one.get_size(), other.get_size(), strict=True)]
    return all(abs(a - b) <= SAME and min(a, b) >= SMALL for a, b in sides)


def _samples(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    scale = min(PIXELS / max(1.0, width), MOST_SIDE / max(1.0, height))
    # pictures are scaled roughly, which takes half as long: on both pages alike
    return bytes(page.render(scale=scale, may_draw_forms=False, no_smoothimage=True).buffer)


def _difference(one: bytes, other: bytes) -> float:
    """The share of samples that differ."""
    if one == other:
        return 0.0
    if len(one) != len(other):
        return 1.0
    apart = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 1 - apart.to_bytes(len(one), "big").count(0) / len(one)
