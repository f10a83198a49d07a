"""The checks of a master beyond those of a copy: it opens nowhere alone, and a blank stamp changes no page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

from drm.pdf.values import PdfRefused

COMPARED, PIXELS, MOST_SIDE = 4, 400, 1600
TOLERATED = 0.002
"""Share of the samples of a page that may differ from the source."""


def prove_alone(path: Path) -> dict[str, Any]:
    """That a master without a tail opens in neither library, with recovery on; PdfRefused ``output-invalid`` else."""
    for opens in (_pikepdf_pages, _pdfium_pages):
        if opens(path):
            raise PdfRefused("output-invalid", "The master opens without a tail.")
    return {}


def _pikepdf_pages(path: Path) -> int:
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            return len(pdf.pages)
    except pikepdf.PdfError:
        return 0


def _pdfium_pages(path: Path) -> int:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return 0
    count = len(document)
    document.close()
    return count


def compare(path: Path, source: Path, password: str | None) -> dict[str, Any]:
    """That the first pages behind the cover look like those of the source; PdfRefused ``output-invalid`` else."""
    copy = pypdfium2.PdfDocument(path)
    try:
        original = pypdfium2.PdfDocument(source, password=password or None)
    except pypdfium2.PdfiumError:  # opens after a repair only, so there is nothing to compare with
        return {"compared": 0}
    compared = min(COMPARED, len(original), len(copy) - 1)
    for page in range(compared):
        try:
            before = _samples(original[page])
        except (pypdfium2.PdfiumError, ValueError):  # a page that cannot be drawn, or is too small to be
            continue
        share = _difference(_samples(copy[page + 1]), before)
        if share > TOLERATED:
            raise PdfRefused("output-invalid", f"Page {page + 1} does not look like the page of the source.")
    copy.close()
    original.close()
    return {"compared": compared}


def _samples(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    scale = min(PIXELS / max(1.0, width), MOST_SIDE / max(1.0, height))
    return bytes(page.render(scale=scale, may_draw_forms=False).buffer)


def _difference(one: bytes, other: bytes) -> float:
    """The share of samples that differ."""
    if one == other:
        return 0.0
    if len(one) != len(other):
        return 1.0
    apart = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 1 - apart.to_bytes(len(one), "big").count(0) / len(one)
