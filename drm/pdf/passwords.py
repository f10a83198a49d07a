"""Passwords that open files: as the bytes that a file may have been encrypted with, for both PDF libraries."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import pikepdf  # noqa: F401 - its codec "pdfdoc" is PDFDocEncoding
import pypdfium2

from drm.pdf.reader_password import prepared

ENCODINGS = ("utf-8", "pdfdoc", "cp1252")
"""What passwords are made bytes with, by revision: 6 and 5 by the first; 4 and before by the second (ISO 32000-2, 7.6.4.3.2),
but programs also took the first, or the code page of the machine."""

PDFIUM_ENCODING = "latin-1"


def forms(password: str | None) -> tuple[bytes, ...]:
    """The bytes that a password may stand for, the likeliest first."""
    given = password or ""
    texts = (
        (given,) if given.isascii() else dict.fromkeys((given, unicodedata.normalize("NFC", given), prepared(given)))
    )
    found = dict[bytes, None]()
    for encoding in ENCODINGS:
        for text in texts:
            try:
                found[text.encode(encoding)] = None
            except UnicodeEncodeError:  # half a character, or one that this encoding lacks
                continue
    return tuple(found)


def open_by_pdfium(source: Path | io.BytesIO | bytes, password: str | None) -> pypdfium2.PdfDocument:
    """The document, opened with the form of the password that fits, or without one; PdfiumError where neither does."""
    first, *others = dict.fromkeys((*forms(password), b""))
    try:
        return pypdfium2.PdfDocument(source, password=_given(first))
    except pypdfium2.PdfiumError:
        for form in others:
            try:
                return pypdfium2.PdfDocument(source, password=_given(form))
            except pypdfium2.PdfiumError:
                continue
        raise


def _given(form: bytes) -> str | None:
    """What makes pdfium try these bytes: it takes UTF-8, and tries it as Latin-1 where it does not fit an older revision."""
    try:
        return form.decode() or None
    except UnicodeDecodeError:
        return form.decode(PDFIUM_ENCODING)
