"""A stamp is lifted off its page: it says what it said, and the page shows what it showed before."""

from __future__ import annotations

from typing import Any

import pypdfium2
import pytest
from pikepdf import Array

from drm.pdf.lifting import Lifter, take_stamp_off
from drm.pdf.values import PdfRefused
from tests.drm.pdf_drawing.samples import SPEC, document, saved, stamped, text_at


def opened(data: bytes, index: int = 1) -> tuple[pypdfium2.PdfDocument, pypdfium2.PdfPage]:
    copy = pypdfium2.PdfDocument(data)
    return copy, copy[index]


def picture(page: pypdfium2.PdfPage) -> bytes:
    return bytes(page.render(scale=0.5).buffer)


PAGES: list[dict[str, Any]] = [
    *({"Rotate": turn} for turn in (0, 90, 180, 270)),
    {"CropBox": Array([100, 200, 500, 700])},
    {"MediaBox": Array([-300, -400, 295, 442]), "Rotate": 90},
    {"UserUnit": 2},
]


@pytest.mark.parametrize("entries", PAGES)
def test_the_words_are_those_of_the_stamp_alone_and_the_page_looks_as_before(entries: dict[str, Any]) -> None:
    source = saved(document(text_at(150, 400, "Night recharge of an aquifer", 20), **entries))
    copy, page = opened(stamped(source)[0])

    words = Lifter(copy).words(page)

    assert words is not None
    assert SPEC.delivery in words
    assert "Niamh Okonkwo" in " ".join(words.split())
    assert "aquifer" not in words
    assert picture(page) == picture(pypdfium2.PdfDocument(source)[0])


def test_one_lifter_serves_pages_of_many_sizes() -> None:
    pdf = document(text_at(9, 400, "first"), text_at(9, 400, "second"), text_at(9, 400, "third"))
    pdf.pages[1].MediaBox = Array([0, 0, 900, 500])
    copy = pypdfium2.PdfDocument(stamped(pdf)[0])
    lifter = Lifter(copy)

    read = [lifter.words(copy[index]) or "" for index in (1, 2, 3, 2)]

    assert all(SPEC.delivery in words for words in read)


def test_a_stamp_outside_the_visible_box_says_nothing() -> None:
    copy, page = opened(stamped(document(text_at(9, 400, "text")))[0])
    page.set_cropbox(0, 840, 595, 842)

    assert Lifter(copy).words(page) == ""


def test_a_page_that_ends_with_anything_else_has_no_stamp_to_lift() -> None:
    copy, page = opened(saved(document(text_at(72, 400, SPEC.delivery))), 0)

    assert Lifter(copy).words(page) is None
    with pytest.raises(PdfRefused) as refused:
        take_stamp_off(page)
    assert refused.value.code == "stamp-missing"
