"""A margin that is proved empty without rendering is empty; what cannot be followed is rendered."""

from __future__ import annotations

import random

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from drm.pdf.extents import Box
from drm.pdf.geometry import view_of
from drm.pdf.ink import EDGE, MILLIMETRE, Band, InkMeter
from drm.pdf.looking import Looker
from tests.drm.pdf_drawing.samples import A4, document, saved, text_at

NEED = (10.0, 1.0)
USUAL = Band("bottom", EDGE * MILLIMETRE)


def proven(pdf: pikepdf.Pdf) -> bool:
    """Whether the usual place of the footer on the first page is known to be empty without rendering."""
    boxes = Looker(list(pdf.pages), [view_of(page.obj) for page in pdf.pages]).boxes(0)
    return boxes is not None and _untouched(boxes)


def _untouched(boxes: list[Box]) -> bool:
    return not any(box[1] < 34 and box[3] > 22 for box in boxes)


def test_a_note_without_a_rectangle_and_a_form_without_a_box_are_rendered() -> None:
    noted, formed = document(b""), document(b"/Fm Do")
    noted.pages[0].Annots = Array([Dictionary(Subtype=Name.Highlight)])
    formed.pages[0].Resources = Dictionary(XObject=Dictionary(Fm=formed.make_stream(b"", Subtype=Name.Form)))

    assert not proven(noted)
    assert not proven(formed)


EMPTY = [
    b"",
    text_at(72, 400, "body") + b"0 0 595 842 re W n 1 g 0 0 595 842 re f",
    b"q 1 0 0 1 0 300 cm 0 0 100 100 re f Q",
    b"BT /F1 12 Tf 14 TL 72 700 Td (a) Tj T* (b) ' [(c)-200(d)] TJ ET",
    b"q 0.1 0 0 0.1 0 0 cm 720 4000 m 720 9000 l S Q",
    b"1 1 1 rg 0 0 595 842 re f 0 0 0 0 k 0 0 595 842 re f",
    b"BT /F1 10 Tf 9 TL 72 700 Td " + b"T* (line) Tj " * 70 + b"ET",
    b"BT /F1 10 Tf 72 700 Td " + b"(word) Tj 0.1 Tc " * 90 + b"ET 10 400 m 20 400 l 30 50 l 40 400 l 50 400 l S",
    b"BT 3 Tr 12 w /F1 10 Tf 72 90 Td (unseen, not outlined) Tj 0 Tr (filled) Tj ET",
]


@pytest.mark.parametrize("content", EMPTY)
def test_pages_with_an_empty_lower_margin_need_no_rendering(content: bytes) -> None:
    assert proven(document(content))


COVERED = [
    text_at(72, 25, "a line in the margin"),
    text_at(72, 40, "large", 60),
    b"BT /F1 10 Tf 14 TL 72 60 Td (a) Tj T* T* (b) Tj ET",
    b"BT /F1 10 Tf 72 400 Td 0 -372 TD (low) Tj ET",
    b"BT /F1 10 Tf 1 0 0 1 72 400 Tm -375 Ts (low) Tj ET",
    b"BT /F1 10 Tf 0 1 -1 0 300 100 Tm (upright) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj -375 Ts (low) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj /F1 770 Tf (large) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj 1 0 0 1 72 25 Tm (low) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj 1 0 0 77 72 400 Tm (long) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj 0 -372 Td (low) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj 0 1 -1 0 72 400 Tm (upright) Tj ET",
    b"BT /F1 10 Tf 72 400 Td (high) Tj ET 1 0 0 1 0 -380 cm BT 72 400 Td (low) Tj ET",
    b"/F1 10 Tf q 1 0 0 1 0 -380 cm BT 72 800 Td (high) Tj Q 0 -775 Td (low) Tj ET",
    b"BT /F1 10 Tf 375 TL 72 400 Td (high) Tj (low) ' ET",
    b"q 1 0 0 1 0 -280 cm 10 300 100 20 re f Q",
    b"10 28 m 500 28 l S",
    b"40 w 10 45 m 500 45 l S",
    b"1 g 0 g 0 0 595 842 re f",
    b"q 1 g Q 0 0 595 842 re f",
    b"300 400 m 300 -400 400 -400 400 400 c S",
    b"1 G 0 0 595 40 re B",
    b"q 500 0 0 50 10 0 cm /Unknown#20 Do Q",
    b"/Sh1 sh",
    b"10 28 m 500 28 l ( not closed",
    b"BI /W 1 /H 1 /BPC 8 /CS /G ID \x00 EI",
    b"1 0 0 x 0 0 cm 10 300 5 5 re f",
    b"BT 1 Tr 12 w /F1 10 Tf 72 90 Td (outlined) Tj ET",
    b"BT /F1 10 Tf 72 90 Td (plain) Tj 2 Tr 12 w T* (outlined) Tj ET",
    b"BT /F1 10 Tf 20 TL 72 90 Td " + b"T* (line) Tj " * 9 + b"ET",
    b"BT /F1 10 Tf -20 TL 72 -90 Td " + b"T* (line) Tj " * 9 + b"ET",
    b"BT /F1 10 Tf 372 TL 72 400 Td " + b"(word) Tj 0.1 Tc " * 60 + b"(last) ' ET",
    b"BT /F1 10 Tf 72 30 Td " + b"(word) Tj 0.1 Tc " * 60 + b"372 TL (last) ' ET",
    b"10 400 m 20 400 l 30 28 l 40 400 l 50 400 l S",
    b"0 1 -1 0 0 0 cm 400 -10 m 400 -20 l 28 -30 l 400 -40 l 400 -50 l S",
    b"10 400 m nan nan l 30 500 l S",
    b"10 400 m nan nan l " + b"30 500 l " * 5 + b"S",
]


@pytest.mark.parametrize("content", COVERED)
def test_ink_in_the_lower_margin_and_what_cannot_be_followed_are_never_proved_empty(content: bytes) -> None:
    assert not proven(document(content))


@pytest.mark.parametrize(
    ("entries", "content"),
    [
        ({"ExtGState": {"G": Dictionary(LW=90)}}, b"/G gs 10 80 m 500 80 l S"),
        ({"ExtGState": {"G": Dictionary(BM=Name.Difference)}}, b"/G gs 1 g 0 0 595 842 re f"),
        ({"Font": {"T": Dictionary(Subtype=Name.Type3)}}, b"BT /T 10 Tf 72 400 Td (a) Tj ET"),
        (
            {
                "Font": {
                    "D": Dictionary(
                        Subtype=Name.Type1, FontDescriptor=Dictionary(FontBBox=Array([0, -2960, 1000, 800]))
                    )
                }
            },
            b"BT /D 20 Tf 72 80 Td (a) Tj ET",
        ),
        (
            {"Font": {"V": Dictionary(Encoding=Name("/Identity-V"), DescendantFonts=Array([Dictionary()]))}},
            b"BT /V 9 Tf (a) Tj ET",
        ),
    ],
)
def test_what_resources_do_to_ink_is_counted(entries: dict[str, dict[str, pikepdf.Object]], content: bytes) -> None:
    pdf = document(content)
    for kind, named in entries.items():
        pdf.pages[0].obj.Resources[f"/{kind}"] = Dictionary({f"/{name}": value for name, value in named.items()})

    assert not proven(pdf)


def test_a_form_counts_as_its_box_wherever_its_matrix_puts_it() -> None:
    pdf = document(b"/X Do")
    form = pdf.make_stream(b"")
    form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 300, 100, 320])
    pdf.pages[0].obj.Resources.XObject = Dictionary(X=form)
    assert proven(pdf)

    form.Matrix = Array([1, 0, 0, 1, 0, -280])
    assert not proven(pdf)


def test_a_note_in_the_margin_counts_and_a_link_does_not() -> None:
    pdf = document(b"")
    pdf.pages[0].obj.Annots = Array([Dictionary(Subtype=Name.Link, Rect=Array([0, 20, 500, 40]))])
    assert proven(pdf)

    pdf.pages[0].obj.Annots[0].Subtype = Name.Square
    assert not proven(pdf)


def test_a_rotated_page_is_rendered() -> None:
    assert not proven(document(b"", Rotate=90))


def test_rendering_finds_no_ink_where_none_was_proved_whatever_is_drawn() -> None:
    chance = random.Random(4)
    pdf = document(*[_drawing(chance) for _ in range(150)])
    views = [view_of(page.obj) for page in pdf.pages]
    looker = Looker(list(pdf.pages), views)
    agreed = 0
    with InkMeter(saved(pdf)) as meter:
        for index, view in enumerate(views):
            boxes = looker.boxes(index)
            if boxes is not None and _untouched(boxes):
                assert meter.band(index, view, *NEED) == USUAL, pdf.pages[index].Contents.read_bytes()
                agreed += 1

    assert 20 < agreed < 140


def _drawing(chance: random.Random) -> bytes:
    """A page of lines, areas, curves and words, under changing matrices."""
    parts = []
    for _ in range(chance.randrange(1, 5)):
        place = [chance.uniform(-20, side) for side in A4]
        scale, turn = chance.choice((0.5, 1, 1, 2)), chance.choice((0, 0, 0.3))
        parts.append(b"q %g %g %g %g %g %g cm" % (scale, turn, -turn, scale, *place))
        parts.append(chance.choice([
            b"%g w 0 0 m 100 40 l S" % chance.uniform(0.2, 8),
            b"0 0 60 30 re f",
            b"0 0 m 10 -40 90 60 100 0 c 50 -20 l b",
            b"BT /F1 %g Tf 12 TL (gjpq) Tj T* (QJ) Tj ET" % chance.uniform(4, 30),
        ]))  # fmt: skip
        parts.append(b"Q")
    return b"\n".join(parts)
