"""What acts, calls out or hides is removed wherever it sits; what only helps to read stays."""

from __future__ import annotations

import io

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from drm.pdf.sanitise import find_active, sanitise
from tests.drm.pdf.active import HIDDEN, SCRIPT, actions, annotate, link, places, plain
from tests.drm.pdf_drawing.samples import saved

MARK = b"marker-of-what-must-go"


def reopened(pdf: pikepdf.Pdf) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(saved(pdf)))


def unpacked(pdf: pikepdf.Pdf) -> bytes:
    """All bytes of a document as it is written out with nothing packed."""
    buffer = io.BytesIO()
    pdf.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable, stream_decode_level=pikepdf.StreamDecodeLevel.all,
             compress_streams=False)  # fmt: skip
    return buffer.getvalue()


@pytest.mark.parametrize("place", places())
@pytest.mark.parametrize("kind", actions())
def test_an_action_goes_wherever_it_sits(kind: str, place: str) -> None:
    pdf = plain()
    places()[place](pdf, actions()[kind])
    pdf = reopened(pdf)
    assert MARK in unpacked(pdf)
    assert find_active(pdf)

    sanitise(pdf)

    assert find_active(pdf) == ()
    assert MARK not in unpacked(pdf)


@pytest.mark.parametrize("kind", HIDDEN)
def test_hidden_and_external_content_goes(kind: str) -> None:
    pdf = plain()
    HIDDEN[kind](pdf)
    pdf = reopened(pdf)
    assert MARK in unpacked(pdf)

    removed = sanitise(pdf)

    assert removed
    assert find_active(reopened(pdf)) == ()
    assert MARK not in unpacked(pdf)


def test_a_fields_value_stays_as_what_it_looks_like() -> None:
    import pypdfium2

    pdf = plain()
    HIDDEN["form with XFA and scripts"](pdf)
    pdf = reopened(pdf)

    sanitise(pdf)

    document = pypdfium2.PdfDocument(saved(pdf))
    assert "kept value" in document[0].get_textpage().get_text_bounded()
    assert "/AcroForm" not in pdf.Root


@pytest.mark.parametrize(
    "address", ["https://example.org/a?b=c", "http://example.org", "mailto:desk@example.org", "doi:10.5555/1"]
)
def test_an_ordinary_link_stays(address: str) -> None:
    pdf = plain()
    annotate(pdf, link(Dictionary(S=Name.URI, URI=String(address))))

    assert sanitise(pdf) == ()
    assert str(pdf.pages[0].obj.Annots[0].A.URI) == address


@pytest.mark.parametrize("name", ["NextPage", "PrevPage", "FirstPage", "LastPage"])
def test_leafing_stays(name: str) -> None:
    pdf = plain()
    annotate(pdf, link(Dictionary(S=Name.Named, N=Name(f"/{name}"))))

    assert sanitise(pdf) == ()


def test_inner_destinations_outlines_labels_and_tags_stay() -> None:
    pdf = plain()
    target = Array([pdf.pages[1].obj, Name.Fit])
    annotate(pdf, Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), Dest=target))
    annotate(pdf, link(Dictionary(S=Name.GoTo, D=target)))
    pdf.Root.OpenAction = target
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Second", 1))
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.r)]))
    pdf.Root.Lang = String("en")
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    before = {
        key: pdf.Root.get(key) is not None for key in ("/OpenAction", "/Outlines", "/PageLabels", "/Lang", "/MarkInfo")
    }

    assert sanitise(pdf) == ()
    assert {key: pdf.Root.get(key) is not None for key in before} == before
    assert len(pdf.pages[0].obj.Annots) == 2


@pytest.mark.parametrize(
    "subtype", ["Text", "Highlight", "Underline", "StrikeOut", "Ink", "Popup", "FreeText", "Caret", "Stamp"]
)
def test_a_note_of_a_human_reader_stays(subtype: str) -> None:
    pdf = plain()
    annotate(
        pdf, Dictionary(Type=Name.Annot, Subtype=Name(f"/{subtype}"), Rect=Array([0, 0, 9, 9]), Contents=String("Note"))
    )

    assert sanitise(pdf) == ()
    assert len(pdf.pages[0].obj.Annots) == 1


@pytest.mark.parametrize("annotations", [Name.None_, Dictionary(), Array([1, Name.X, Array()]), String("x")])
def test_annotations_of_the_wrong_kind_do_no_harm(annotations: pikepdf.Object) -> None:
    pdf = plain()
    pdf.pages[0].obj.Annots = annotations

    sanitise(pdf)

    assert find_active(pdf) == ()


@pytest.mark.parametrize("key", ["/A", "/PA", "/OpenAction"])
def test_what_hangs_where_actions_hang_goes_whatever_it_is(key: str) -> None:
    pdf = plain()
    pdf.pages[0].obj.Resources.Properties = Dictionary(MC0=Dictionary({key: Dictionary(S=Name.Odd, X=String(SCRIPT))}))
    pdf = reopened(pdf)

    sanitise(pdf)

    assert MARK not in unpacked(pdf)


def test_a_picture_that_might_be_taken_for_an_annotation_stays_without_its_place() -> None:
    pdf = plain()
    form = pdf.make_stream(b"0 0 9 9 re f", Subtype=Name.Form, BBox=Array([0, 0, 9, 9]), Rect=Array([0, 0, 9, 9]))
    pdf.pages[0].obj.Resources.XObject = Dictionary(Fm=form)

    sanitise(pdf)

    assert (form.read_bytes(), "/Rect" in form) == (b"0 0 9 9 re f", False)


def test_what_was_removed_is_counted() -> None:
    pdf = plain()
    for _ in range(3):
        annotate(pdf, link(Dictionary(S=Name.Launch, F=String(SCRIPT))))

    assert "Launch*3" in sanitise(pdf)


@pytest.mark.parametrize("kind", ["/Form", "/PS"])
def test_the_rest_of_a_form_whose_data_are_lost_names_none_elsewhere_and_the_document_stays(kind: str) -> None:
    pdf = plain()
    rest = {"/Type": Name.XObject, "/Subtype": Name(kind), "/F": String(MARK.decode()), "/FFilter": Name.FlateDecode}
    pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(Fm=pdf.make_indirect(Dictionary(rest))))
    pdf = reopened(pdf)
    assert "external data" in find_active(pdf)

    sanitise(pdf)

    assert find_active(pdf) == ()
    assert MARK not in unpacked(pdf)
