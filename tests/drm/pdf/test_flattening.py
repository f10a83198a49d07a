"""Fields and large notes become part of their page: they look as before, lie under the stamp, and stay in the structure tree."""

from __future__ import annotations

import io
import re
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Object, String

from drm.pdf.sanitise import find_active, sanitise
from tests.drm.pdf.active import annotate, link, plain
from tests.drm.pdf_drawing.samples import document, rendered, saved, stamped, text_at, texts

DEFAULT = String("/Helv 12 Tf 0 g")
RED, GREEN = b"1 0 0 rg 0 0 100 20 re f", b"0 1 0 rg 0 0 100 20 re f"


def look(pdf: pikepdf.Pdf, content: bytes, box: tuple[float, ...] = (0, 0, 100, 20)) -> Object:
    stream = pdf.make_stream(content)
    stream.Type, stream.Subtype, stream.BBox = Name.XObject, Name.Form, Array(box)
    return stream


def with_field(pdf: pikepdf.Pdf, **entries: Any) -> Object:
    """One more field on the first page, and the form that it needs."""
    usual = {"Type": Name.Annot, "Subtype": Name.Widget, "T": String("f"), "Rect": Array([72, 100, 172, 120])}
    field = pdf.make_indirect(Dictionary(**{**usual, **entries}))
    annotate(pdf, field)
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    form = pdf.Root.get(
        "/AcroForm", Dictionary(Fields=Array([]), DA=DEFAULT, DR=Dictionary(Font=Dictionary(Helv=font)))
    )
    form.Fields = Array([*form.Fields, field])
    pdf.Root.AcroForm = form
    return field


def cleaned(pdf: pikepdf.Pdf) -> bytes:
    again = pikepdf.open(io.BytesIO(saved(pdf)))
    sanitise(again)
    assert find_active(again) == ()
    return saved(again)


def colour(data: bytes, x: float, y: float, page: int = 0) -> tuple[int, int, int]:
    """The colour of a point of a page, as red, green and blue."""
    picture = pypdfium2.PdfDocument(data)[page].render(scale=1, may_draw_forms=False).to_pil().convert("RGB")
    found = picture.getpixel((round(x), picture.height - round(y)))
    assert isinstance(found, tuple)
    return int(found[0]), int(found[1]), int(found[2])


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        ({"FT": Name.Tx, "V": String("Mbeki"), "DA": DEFAULT}, "Mbeki"),
        ({"FT": Name.Tx, "V": String("one two\nthree (four)"), "DA": DEFAULT, "Ff": 1 << 12, "Rect": Array([72, 100, 272, 160])},
         "one two three (four)"),
        ({"FT": Name.Ch, "V": String("Second"), "Opt": Array([String("Second")]), "DA": DEFAULT, "Ff": 1 << 17}, "Second"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("asked", [True, False])
def test_a_filled_field_without_an_appearance_shows_its_value(entries: dict[str, Any], shown: str, asked: bool) -> None:
    pdf = plain()
    with_field(pdf, **entries)
    pdf.Root.AcroForm.NeedAppearances = asked

    assert shown in texts(cleaned(pdf))[0]


@pytest.mark.parametrize(
    "entries",
    [
        {"F": 2, "V": String("unseen")},
        {"F": 1, "V": String("unseen")},
        {"F": 32, "V": String("unseen")},
        {"Ff": 1 << 13, "V": String("unseen")},
    ],
)
def test_what_a_form_does_not_show_is_not_in_the_copy(entries: dict[str, Any]) -> None:
    pdf = plain()
    with_field(pdf, FT=Name.Tx, DA=DEFAULT, **entries)
    data = cleaned(pdf)

    assert "unseen" not in texts(data)[0]
    assert b"unseen" not in data


@pytest.mark.parametrize(("state", "seen"), [("Yes", (0, 255, 0)), ("Off", (255, 0, 0)), (None, (0, 255, 0))])
def test_a_box_is_ticked_as_it_was(state: str | None, seen: tuple[int, int, int]) -> None:
    pdf = plain()
    looks = Dictionary(N=Dictionary(Yes=look(pdf, GREEN), Off=look(pdf, RED)))
    chosen = {"AS": Name(f"/{state}")} if state else {}
    with_field(pdf, FT=Name.Btn, V=Name(f"/{state or 'Yes'}"), AP=looks, **chosen)

    assert colour(cleaned(pdf), 120, 110) == seen


def test_fields_keep_the_order_in_which_they_lie_over_one_another() -> None:
    pdf = plain()
    with_field(pdf, FT=Name.Btn, AP=Dictionary(N=look(pdf, RED)))
    with_field(pdf, FT=Name.Btn, AP=Dictionary(N=look(pdf, GREEN)))

    assert colour(cleaned(pdf), 120, 110) == (0, 255, 0)


@pytest.mark.filterwarnings("ignore:This document has 1 form widget")
def test_a_field_without_a_form_keeps_its_looks_too() -> None:
    pdf = plain()
    with_field(pdf, FT=Name.Btn, AP=Dictionary(N=look(pdf, GREEN)))
    del pdf.Root["/AcroForm"]

    assert colour(cleaned(pdf), 120, 110) == (0, 255, 0)


def test_a_font_that_a_field_borrows_from_its_form_stays_with_it() -> None:
    pdf = plain()
    with_field(pdf, FT=Name.Tx, AP=Dictionary(N=look(pdf, b"BT /Helv 9 Tf 2 5 Td (borrowed) Tj ET")))

    assert "borrowed" in texts(cleaned(pdf))[0]


@pytest.mark.parametrize("twice", ["the field", "its page"])
def test_a_field_on_two_pages_is_seen_on_both(twice: str) -> None:
    pdf = document(b"", b"")
    field = with_field(pdf, FT=Name.Tx, V=String("Mbeki"), DA=DEFAULT)
    field.AP = Dictionary(N=look(pdf, GREEN + b" BT /Helv 9 Tf 2 5 Td (Mbeki) Tj ET"))
    pdf.pages[1].obj.Annots = Array([field] if twice == "the field" else [])
    data = saved(pdf)
    if twice == "its page":
        data = re.sub(rb"/Kids \[ (\d+ 0 R) \d+ 0 R \]", rb"/Kids [ \1 \1 ]", data)
    again = pikepdf.open(io.BytesIO(data))
    sanitise(again)

    copy = saved(again)
    assert [colour(copy, 165, 115, page) for page in (0, 1)] == [(0, 255, 0)] * 2
    assert ["Mbeki" in text for text in texts(copy)] == [True, True]
    assert all("/Annots" not in page.obj or not len(page.obj.Annots) for page in again.pages)


def test_a_note_that_is_large_on_one_of_two_pages_stays_a_note_on_the_other() -> None:
    pdf = plain()
    shared = note(pdf, "Stamp", [10, 10, 110, 60], AP=Dictionary(N=look(pdf, GREEN)))
    for page, side in ((pdf.pages[0], 100), (pdf.pages[1], 2000)):
        page.obj.MediaBox, page.obj.Annots = Array([0, 0, side, side]), Array([shared])
    data = cleaned(pdf)

    copy = pikepdf.open(io.BytesIO(data))
    assert [len(page.obj.get("/Annots", ())) for page in copy.pages] == [0, 1]
    assert colour(data, 50, 50) == (0, 255, 0)


def note(pdf: pikepdf.Pdf, kind: str, box: list[float], **entries: Any) -> Object:
    found = Dictionary(Type=Name.Annot, Subtype=Name(f"/{kind}"), Rect=Array(box), Contents=String("Note"), **entries)
    return pdf.make_indirect(found)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_page_looks_as_it_did(rotate: int) -> None:
    pdf = document(text_at(72, 700, "Open") + b"q 2 0 0 2 0 0 cm BT", Rotate=rotate, CropBox=Array([50, 60, 550, 800]))
    shape = look(pdf, b"0 0 1 rg 0 0 50 50 re f 0 1 0 rg 50 0 50 25 re f", (0, 0, 100, 50))
    shape.Matrix = Array([0, 1, -1, 0, 0, 0])
    annotate(pdf, note(pdf, "Stamp", [100, 300, 200, 450], AP=Dictionary(N=shape)))

    assert rendered(cleaned(pdf), 0) == rendered(saved(pdf), 0)


@pytest.mark.parametrize("kind", ["FreeText", "Stamp", "Square", "Ink", "Link", "Highlight"])
def test_a_large_note_lies_under_the_stamp(kind: str) -> None:
    pdf = document(b"")
    bare, _ = stamped(document(b"1 1 0.9 rg 0 0 595 842 re f"))
    annotate(
        pdf,
        note(pdf, kind, [0, 0, 595, 842], AP=Dictionary(N=look(pdf, b"1 1 0.9 rg 0 0 595 842 re f", (0, 0, 595, 842)))),
    )
    covered, _ = stamped(cleaned(pdf))

    ours, theirs = rendered(covered, 1)[2], rendered(bare, 1)[2]
    assert min(theirs) < 100
    assert sum(abs(a - b) > 40 for a, b in zip(ours, theirs, strict=True)) < 0.01 * len(ours)


@pytest.mark.parametrize(("kind", "key"), [("Square", "IC"), ("Circle", "IC"), ("FreeText", "C")])
def test_a_large_note_that_viewers_draw_themselves_keeps_no_ground(kind: str, key: str) -> None:
    pdf = plain()
    annotate(pdf, note(pdf, kind, [0, 0, 595, 842], **{key: Array([0, 1, 0])}))

    assert sanitise(pdf) == ("ground of a note",)
    assert (len(pdf.pages[0].obj.Annots), f"/{key}" in pdf.pages[0].obj.Annots[0]) == (1, False)


def test_small_notes_stay_notes_with_their_windows() -> None:
    pdf = plain()
    owner = note(pdf, "Stamp", [10, 10, 60, 40], AP=Dictionary(N=look(pdf, RED)))
    for one in (owner, note(pdf, "Popup", [0, 0, 50, 50], Parent=owner)):
        annotate(pdf, one)

    assert sanitise(pdf) == ()
    assert len(pdf.pages[0].obj.Annots) == 2


@pytest.mark.parametrize("kind", ["Watermark", "Redact", "PrinterMark", "TrapNet"])
def test_what_cannot_stay_a_note_keeps_its_looks_however_small(kind: str) -> None:
    pdf = plain()
    annotate(pdf, note(pdf, kind, [10, 10, 60, 20], AP=Dictionary(N=look(pdf, GREEN))))
    data = cleaned(pdf)

    assert colour(data, 35, 15) == (0, 255, 0)
    with pikepdf.open(io.BytesIO(data)) as copy:
        assert not len(copy.pages[0].obj.get("/Annots", ()))


@pytest.mark.parametrize("flag", [1, 2, 32])
def test_a_watermark_that_is_not_shown_goes_unseen(flag: int) -> None:
    pdf = plain()
    annotate(pdf, note(pdf, "Watermark", [10, 10, 60, 20], AP=Dictionary(N=look(pdf, GREEN)), F=flag))

    assert colour(cleaned(pdf), 35, 15) == (255, 255, 255)


def test_the_window_of_a_note_goes_with_it_and_links_beside_it_stay() -> None:
    pdf = plain()
    owner = note(pdf, "FreeText", [10, 10, 60, 40], AP=Dictionary(N=look(pdf, RED)))
    web = link(Dictionary(S=Name.URI, URI=String("https://example.org")))
    for one in (owner, note(pdf, "Popup", [0, 0, 50, 50], Parent=owner), web):
        annotate(pdf, one)
    again = pikepdf.open(io.BytesIO(cleaned(pdf)))

    assert [str(one.Subtype) for one in again.pages[0].obj.Annots] == ["/Link"]


def tagged(pdf: pikepdf.Pdf, annotation: Object) -> None:
    """A structure tree with a paragraph, the annotation, and another paragraph."""
    root = pdf.Root.StructTreeRoot = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    kids: list[object] = [0, Dictionary(Type=Name.OBJR, Obj=annotation), 1]
    elements = [
        pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{role}"), P=root, Pg=pdf.pages[0].obj, K=kid))
        for role, kid in zip(("P", "Form", "P"), kids, strict=True)
    ]
    root.K = Array(elements)
    root.ParentTree = Dictionary(Nums=Array([0, Array([elements[0], elements[2]]), 1, elements[1]]))
    pdf.pages[0].obj.StructParents, annotation.StructParent = 0, 1


def test_a_field_of_a_tagged_document_is_read_where_it_was() -> None:
    pdf = plain()
    tagged(pdf, with_field(pdf, FT=Name.Tx, V=String("Mbeki"), DA=DEFAULT))
    copy = pikepdf.open(io.BytesIO(cleaned(pdf)))
    root = copy.Root.StructTreeRoot

    field = root.K[1].K
    assert [str(kid.S) for kid in root.K] == ["/P", "/Form", "/P"]
    assert (str(field.Type), int(field.MCID), "/Obj" in field) == ("/MCR", 0, False)
    assert b"/Form <</MCID 0>> BDC" in field.Stm.read_bytes()
    parents = pikepdf.NumberTree(root.ParentTree)
    assert parents[int(field.Stm.StructParents)][0].objgen == root.K[1].objgen


def test_a_structure_tree_leads_to_no_annotation_that_is_gone() -> None:
    pdf = plain()
    gone = note(pdf, "FileAttachment", [0, 0, 9, 9])
    annotate(pdf, gone)
    tagged(pdf, gone)
    copy = pikepdf.open(io.BytesIO(cleaned(pdf)))
    root = copy.Root.StructTreeRoot

    assert ["/K" in kid for kid in root.K] == [True, False, True]


def test_names_that_an_author_chose_are_not_taken_for_what_must_go() -> None:
    pdf = plain()
    font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    pdf.pages[0].obj.Resources.Font = pdf.make_indirect(Dictionary(AF=font, JS=font, AA=font))
    pdf.Root.StructTreeRoot = Dictionary(Type=Name.StructTreeRoot, RoleMap=Dictionary(Title=Name.H1, A=Name.Link))

    assert find_active(pdf) == sanitise(pdf) == ()
    assert len(pdf.pages[0].obj.Resources.Font) == 3
    assert str(pdf.Root.StructTreeRoot.RoleMap.A) == "/Link"


def test_a_note_that_passes_for_a_table_of_names_is_disarmed() -> None:
    pdf = plain()
    disguised = pdf.make_indirect(link(Dictionary(S=Name.URI, URI=String("https://example.org")), AA=Dictionary()))
    annotate(pdf, disguised)
    pdf.pages[0].obj.Resources.Font = disguised

    assert "AA" in sanitise(pdf)


def test_a_page_to_open_at_stays_as_a_plain_destination() -> None:
    pdf = plain()
    pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[1].obj, Name.Fit]))

    assert sanitise(pdf) == ()
    assert pdf.Root.OpenAction[0].objgen == pdf.pages[1].obj.objgen
