"""The checks that a copy must pass before anybody gets it. Runs in a fresh child of the sandbox."""

from __future__ import annotations

import io
import random
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

from drm.pdf.copying import URN
from drm.pdf.lifting import Lifter
from drm.pdf.passwords import forms, open_by_pdfium
from drm.pdf.reading_order import as_read
from drm.pdf.sanitise import find_active
from drm.pdf.values import PdfRefused

ALL_PAGES = 50
CERTAIN = 4
"""So many characters do not stand anywhere by chance, across blanks and all."""
STAMPED = re.compile(rb"/RlS[^\s/]* Do(?:\s+(?:EMC|Q))*\s*\Z")
LOOKED_AT = 5
"""Pages from the first on that are read back at any rate where somebody looks at them."""

Look = Callable[[int, pypdfium2.PdfPage, bool], None]
"""Gets the number of a page, the page, and whether its stamp was lifted off already."""


def prove(
    path: Path, expect: dict[str, Any] | None, password: str | None, file_key: str = "", look: Look | None = None
) -> dict[str, Any]:
    """The verdict on a copy; PdfRefused with the first check that fails.

    ``expect`` may hold pages, delivery, names, encrypted. Without it the delivery is read from the copy's own metadata.
    One library opens the copy as its reader does, with ``password`` or none; the other one too, or with ``file_key``
    (in hexadecimal) where it is known, for it takes long over passwords. ``look`` sees each page that was read back.
    """
    expect = expect or {}
    pdf = _open(path, password, file_key)
    delivery = expect.get("delivery") or _delivery_in(pdf)
    if not delivery:
        raise PdfRefused("stamp-missing", "The file names no delivery.")
    pages = len(pdf.pages)
    if "pages" in expect and pages != expect["pages"]:
        raise PdfRefused("output-invalid", f"{expect['pages']} pages were expected, the copy has {pages}.")
    active = find_active(pdf)
    if active:
        raise PdfRefused("active-content", f"The copy still holds {', '.join(active[:5])}.")
    if "encrypted" in expect and pdf.is_encrypted != expect["encrypted"]:
        raise PdfRefused("output-invalid", "The copy's encryption is not the one asked for.")
    _painted(pdf)
    names = [str(name) for name in expect.get("names", ()) if name]
    checked = _read_back(as_read(pdf, path), password, [str(delivery), *names], look)
    return {"delivery": delivery, "pages": pages, "encrypted": pdf.is_encrypted, "pages_read": checked}


def _open(path: Path, password: str | None, file_key: str) -> pikepdf.Pdf:
    for attempt in (file_key,) if file_key else forms(password):
        try:
            return pikepdf.open(
                path,
                password=attempt,
                hex_password=bool(file_key),
                attempt_recovery=False,
                suppress_warnings=True,
            )
        except pikepdf.PasswordError:
            continue
        except pikepdf.PdfError:
            raise PdfRefused("output-invalid", "The file does not open without repair.") from None
    raise PdfRefused("password-required", "The file needs a password to open.")


def _delivery_in(pdf: pikepdf.Pdf) -> str:
    try:
        with pdf.open_metadata() as metadata:
            named = str(metadata.get("dc:identifier", ""))
    except (pikepdf.PdfError, ValueError, KeyError):
        return ""
    return named.removeprefix(URN) if named.startswith(URN) else ""


def _painted(pdf: pikepdf.Pdf) -> None:
    """On each page after the cover the last thing painted is a form of ours; the cover itself has none, which tells that it is there."""
    for number, page in enumerate(pdf.pages):
        streams = page.obj.get("/Contents")
        last = streams[-1] if isinstance(streams, pikepdf.Array) and len(streams) else streams
        data = last.read_bytes() if isinstance(last, pikepdf.Stream) else b""
        # A comment could hold the words that paint it; we write none.
        stamped = STAMPED.search(data) is not None and b"%" not in data
        if number == 0 and stamped:
            raise PdfRefused("stamp-missing", "The cover is not there.")
        if number and not stamped:
            raise PdfRefused("stamp-missing", f"Page {number + 1} carries no stamp.")


def _read_back(path: Path | io.BytesIO, password: str | None, wanted: list[str], look: Look | None) -> int:
    """How many pages were read; on each the words ``wanted`` stand, the delivery first.

    They stand in the stamp itself or, where they are not found in that alone, in the words of the whole page.
    """
    try:
        document = open_by_pdfium(path, password)
    except pypdfium2.PdfiumError:
        raise PdfRefused("output-invalid", "The file does not open.") from None
    count = len(document)
    numbers = set(range(count))
    if count > ALL_PAGES:
        chosen = random.Random(wanted[0]).sample(range(count), ALL_PAGES)  # noqa: S311  # nosec - a sample, no secret
        numbers = {0, count - 1, *chosen, *range(LOOKED_AT if look else 0)}
    bare = [_bare(what) for what in wanted]
    lifter = Lifter(document)
    for number in sorted(numbers):
        page = document[number]
        words = lifter.words(page) if number else None
        lifted = words is not None and _says(words, bare)
        if not lifted:
            page.close()
            page = document[number]
            if not _says(_all_words(page), bare):
                raise PdfRefused("stamp-missing", f"Page {number + 1} cannot be read back: the stamp is not complete.")
        if look is not None:
            look(number, page, lifted)
        page.close()
    document.close()
    return len(numbers)


def _all_words(page: pypdfium2.PdfPage) -> str:
    words = page.get_textpage()
    try:
        return str(words.get_text_bounded())
    finally:
        words.close()


def _says(text: str, wanted: list[str]) -> bool:
    """Whether the text holds all of these, however it is broken into lines; a short delivery, the first, as a word of its own."""
    words, text = text.split(), _bare(text)
    return all(what in text for what in wanted) and (len(wanted[0]) >= CERTAIN or wanted[0] in words)


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFC", text).split())
