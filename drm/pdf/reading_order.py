"""A document as one library can read it back: without the wish to be shown from right to left."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
from pikepdf import Dictionary

RIGHT_TO_LEFT = frozenset({"/R2L", "R2L"})


def as_read(pdf: pikepdf.Pdf, path: Path) -> Path | io.BytesIO:
    """The file, or the same in memory and unencrypted where it wants its pages from right to left.

    ``/Direction`` says how pages lie beside each other and nothing about words (ISO 32000-2, table 147), but pdfium reads the words of
    each line in the opposite order where it is ``/R2L``, as a name or a string: no name of two words would be found. Takes the entry
    out of ``pdf``.
    """
    wishes = pdf.Root.get("/ViewerPreferences")
    if not isinstance(wishes, Dictionary) or str(wishes.get("/Direction", "")) not in RIGHT_TO_LEFT:
        return path
    del wishes["/Direction"]
    whole = io.BytesIO()
    pdf.save(whole, encryption=False)
    return whole
