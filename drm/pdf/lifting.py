"""Lifts the stamp off an open page: its words are read by themselves, and the page shows what it showed before.

The stamp is the form that a page paints last, and it stands between operators that save and restore all. So what is left
is painted as the page was before it was stamped. Words read from the stamp alone are certainly the stamp's and not the
page's own, and finding them takes a tenth of the time that the words of a whole page take.
"""

from __future__ import annotations

from typing import Any

import pypdfium2
from pypdfium2 import raw

from drm.pdf.values import PdfRefused


class Lifter:
    """Lifts stamps off the pages of one document, which is not to be saved afterwards."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self._sheets: dict[tuple[float, ...], pypdfium2.PdfPage] = {}

    def words(self, page: pypdfium2.PdfPage) -> str | None:
        """What the stamp of an open page says within the page's visible box; None where no form is painted last.

        The stamp is gone from the page then, and from its pictures, as long as that stays open. Where the answer is None it
        may be gone too.
        """
        stamp = _last_form(page)
        if stamp is None:
            return None
        _take_off(page, stamp)
        try:
            return self._read(page, stamp)
        except pypdfium2.PdfiumError:  # a page whose boxes or rotation the library does not take twice
            return None

    def _read(self, page: pypdfium2.PdfPage, stamp: Any) -> str:
        sheet = self._sheet(page)
        raw.FPDFPage_InsertObject(sheet, stamp)
        words = sheet.get_textpage()
        try:
            return str(words.get_text_bounded(*page.get_bbox()))
        finally:
            words.close()
            _take_off(sheet, stamp)
            raw.FPDFPageObj_Destroy(stamp)

    def _sheet(self, page: pypdfium2.PdfPage) -> pypdfium2.PdfPage:
        """An empty page of the same size, turned the same way."""
        (width, height), turned = page.get_size(), page.get_rotation()
        size = (width, height) if turned in {0, 180} else (height, width)
        key = (*size, turned)
        if key not in self._sheets:
            sheet = self._document.new_page(*size)
            sheet.set_rotation(turned)
            self._sheets[key] = sheet
        return self._sheets[key]


def take_stamp_off(page: pypdfium2.PdfPage) -> None:
    """Take the stamp away from an open page; PdfRefused ``stamp-missing`` where no form is painted last."""
    stamp = _last_form(page)
    if stamp is None:
        raise PdfRefused("stamp-missing", "A page ends with something else than its stamp.")
    _take_off(page, stamp)
    raw.FPDFPageObj_Destroy(stamp)


def _last_form(page: pypdfium2.PdfPage) -> Any:
    last = raw.FPDFPage_GetObject(page, raw.FPDFPage_CountObjects(page) - 1)
    return last if last and raw.FPDFPageObj_GetType(last) == raw.FPDF_PAGEOBJ_FORM else None


def _take_off(page: pypdfium2.PdfPage, stamp: Any) -> None:
    if not raw.FPDFPage_RemoveObject(page, stamp):
        raise PdfRefused("output-invalid", "The stamp of a page cannot be told from the page.")
