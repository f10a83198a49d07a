"""What the stamp says, and what it leaves as it was."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, NumberTree, OutlineItem, String

from drm.pdf.stamp import StampStrings, apply_stamp, right_to_left_reading, stamp_strings
from drm.pdf.values import OpenAccess, PdfRefused
from tests.drm.pdf_drawing.samples import SPEC, document, rendered, saved, spec, stamped, text_at, texts, widths


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(data))


def test_every_page_carries_number_library_date_and_name() -> None:
    data, report = stamped(document(b"", b"", b""))

    assert report.pages == 3
    for text in texts(data):
        assert all(part in text for part in ("RL-7Q4M-2K9D", SPEC.library, "24 Nov 2026", "Niamh Okonkwo"))
        assert "No further copies." in text


def test_without_a_name_there_is_none_anywhere() -> None:
    data, report = stamped(document(b"", b""), spec(reader=None))

    assert report.shown_name == ""
    assert stamp_strings(spec(reader=None)) == StampStrings("", "RL-7Q4M-2K9D")
    for text in texts(data):
        assert "RL-7Q4M-2K9D" in text
        assert not any(part in text for part in ("Niamh", "[reader]", "Copy for", "None"))


def test_an_open_access_copy_names_licence_and_source_on_every_page() -> None:
    data, _ = stamped(document(b"", b""), spec(open_access=OpenAccess("CC BY 4.0", "Sallow Fen Repository")))

    assert all("CC BY 4.0" in text and "Sallow Fen Repository" in text for text in texts(data))


def test_a_chinese_stamp_reads_back() -> None:
    wanted = spec(language="zh", library="云汀市图书馆", reader="张𠮷伟", legends=("请勿再传。",))

    data, _ = stamped(document(b""), wanted)

    for text in texts(data):
        assert all(part in text for part in ("云汀市图书馆", "张𠮷伟", "2026-11-24", "请勿再传。"))


@pytest.mark.parametrize("name", ["Niamh Okonkwo", "王小明", "Ким 2", "O'Neil A-1, b."])
def test_in_a_right_to_left_document_the_stamp_is_found_as_pdfium_reads_it(name: str) -> None:
    source = document(b"")
    source.Root.ViewerPreferences = Dictionary(Direction=Name.R2L)

    for text in texts(stamped(source, spec(reader=name))[0]):
        assert right_to_left_reading("RL-7Q4M-2K9D") in text
        assert right_to_left_reading(name) in text


def test_long_names_and_libraries_never_cost_the_number_or_the_name() -> None:
    name, library = "王" * 64, "The Very Long Named Library of " + "Everything " * 12

    data, _ = stamped(document(b""), spec(reader=name, library=library))

    assert all(name in text and "RL-7Q4M-2K9D" in text for text in texts(data))


@pytest.mark.parametrize(
    "change",
    [
        {"library": "مكتبة"},
        {"terms": ("Be good 😀",)},
        {"notices": ("ไทย",)},
        {"legends": ("नमस्ते",)},
        {"legal_basis": "סעיף 3"},
        {"open_access": OpenAccess("CC BY", "مستودع")},
        {"delivery": "№7"},
        {"delivery": " "},
    ],
)
def test_a_fixed_text_that_cannot_be_drawn_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(PdfRefused) as refused:
        stamped(document(b""), spec(**change))

    assert refused.value.code == "glyph-missing"


def test_the_diagonal_is_pale_and_lies_above_images() -> None:
    data, _ = stamped(document(b"0.6 g 0 0 595 842 re f"))
    width, height, pixels = rendered(data, 1, 1785)
    middle = pixels[width * height // 3 : width * height // 2]
    paper = max(set(middle), key=middle.count)

    assert min(middle) < 0.9 * paper
    assert min(middle) >= 0.74 * paper


def test_the_same_input_gives_the_same_bytes() -> None:
    source = saved(document(text_at(72, 700, "text"), b""))

    assert stamped(source)[0] == stamped(source)[0]


def test_outlines_links_and_numbered_destinations_reach_the_same_article_page() -> None:
    source = document(*[text_at(72, 700, f"page {number}") for number in range(4)])
    with source.open_outline() as outline:
        outline.root.append(OutlineItem("third", 2))
    first = source.pages[0].obj
    first.Annots = Array(
        [
            Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), Dest=Array([3, Name.Fit])),
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Link,
                Rect=Array([0, 0, 9, 9]),
                A=Dictionary(S=Name.GoTo, D=Array([source.pages[1].obj, Name.Fit])),
            ),
        ]
    )
    source.Root.Names = Dictionary(Dests=Dictionary(Names=Array([String("far"), Array([2, Name.Fit])])))

    pdf = opened(stamped(source)[0])

    pages = [page.obj for page in pdf.pages]
    assert pdf.Root.Outlines.First.Dest[0].objgen == pages[3].objgen
    assert pages[1].Annots[0].Dest[0].objgen == pages[4].objgen
    assert pages[1].Annots[1].A.D[0].objgen == pages[2].objgen
    assert pdf.Root.Names.Dests.Names[1][0].objgen == pages[3].objgen


def test_page_labels_stay_with_their_pages_and_the_cover_is_labelled_cover() -> None:
    source = document(*[b""] * 4)
    labels = NumberTree.new(source)
    labels[0] = Dictionary(S=Name.r)
    labels[2] = Dictionary(S=Name.D, St=45)
    source.Root.PageLabels = labels.obj

    with_labels = pypdfium2.PdfDocument(stamped(source)[0])
    without = pypdfium2.PdfDocument(stamped(document(b"", b""))[0])

    assert [with_labels.get_page_label(index) for index in range(5)] == ["cover", "i", "ii", "45", "46"]
    assert [without.get_page_label(index) for index in range(3)] == ["cover", "1", "2"]


def tagged_document() -> pikepdf.Pdf:
    source = document(b"/P <</MCID 0>> BDC " + text_at(72, 700, "tagged") + b"EMC", StructParents=0)
    page = source.pages[0].obj
    element = source.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, Pg=page, K=0))
    whole = source.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, K=Array([element])))
    element.P = whole
    tree = Dictionary(Nums=Array([0, Array([element])]))
    root = source.make_indirect(Dictionary(Type=Name.StructTreeRoot, K=whole, ParentTree=tree, ParentTreeNextKey=1))
    whole.P = root
    source.Root.StructTreeRoot, source.Root.MarkInfo = root, Dictionary(Marked=True)
    source.Root.Lang = String("en")
    return source


def test_a_tagged_document_keeps_its_tree_and_gains_only_the_cover_in_front() -> None:
    pdf = opened(stamped(tagged_document())[0])

    root = pdf.Root.StructTreeRoot
    cover, old = root.K.K
    assert [Name.Sect, Name.P] == [cover.S, old.S]
    assert old.K == 0
    assert old.Pg.objgen == pdf.pages[1].obj.objgen
    parents = NumberTree(root.ParentTree)
    assert parents[0][0].objgen == old.objgen
    assert [kid.objgen for kid in parents[int(pdf.pages[0].obj.StructParents)]] == [kid.objgen for kid in cover.K]
    assert cover.K[0].Pg.objgen == pdf.pages[0].obj.objgen


def test_each_tag_of_the_cover_has_its_marked_content() -> None:
    pdf = opened(stamped(tagged_document())[0])

    marked = [
        int(step.operands[1].MCID)
        for step in pikepdf.parse_content_stream(pdf.pages[0])
        if str(step.operator) == "BDC" and "/MCID" in step.operands[1]
    ]
    assert marked == list(range(len(pdf.Root.StructTreeRoot.K.K[0].K)))
    assert int(pdf.Root.StructTreeRoot.ParentTreeNextKey) > int(pdf.pages[0].obj.StructParents)


def test_pages_of_one_size_share_one_form() -> None:
    pdf = opened(stamped(document(*[b""] * 60))[0])

    assert len({page.obj.Resources.XObject.RlS.objgen for page in list(pdf.pages)[1:]}) == 1
    assert len(pdf.objects) < 60 * 7 + 60


def test_a_document_of_many_sizes_does_not_get_a_form_for_each() -> None:
    source = document(*[b""] * 100)
    for index, page in enumerate(source.pages):
        page.obj.MediaBox = Array([0, 0, 400 + index / 7, 600])

    pdf = opened(stamped(source)[0])

    assert len({page.obj.Resources.XObject.RlS.objgen for page in list(pdf.pages)[1:]}) <= 8


def test_every_font_of_the_stamp_is_embedded_and_says_what_its_codes_mean() -> None:
    pdf = opened(stamped(document(b""), spec(reader="王Ким"))[0])

    fonts = dict(pdf.pages[0].obj.Resources.Font.items())
    plain, others = fonts.pop("/RlP"), fonts.values()
    assert (plain.Encoding, plain.FontDescriptor.FontFile3.Subtype) == (Name.WinAnsiEncoding, Name.Type1C)
    assert len(others) == 2
    for font in others:
        assert "/FontFile2" in font.FontDescriptor or "/FontFile3" in font.FontDescriptor
        assert b"beginbfchar" in font.ToUnicode.read_bytes()


def test_the_file_of_a_font_tells_the_widths_that_the_document_tells() -> None:
    pdf = opened(stamped(document(b""), spec(reader="Zoë Ľubica Łącka", library="Library of Ψ"))[0])

    fonts = list(pdf.pages[0].obj.Resources.Font.values())
    assert len(fonts) >= 2
    for font in fonts:
        for told, meant in widths(font):
            assert abs(told - meant) < 2, font.BaseFont


def test_a_document_without_pages_is_refused() -> None:
    with pytest.raises(PdfRefused) as refused:
        apply_stamp(pikepdf.new(), SPEC, b"")

    assert refused.value.code == "zero-pages"
