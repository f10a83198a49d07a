"""Copies as readers get them: permissions, links, outlines, labels, text and looks are as they were, beside the stamp."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, String

from drm.pdf.rewrite import make_copy
from drm.pdf.values import CopyReport, CopySpec, OpenAccess, PdfRefused, Permissions
from drm.pdf.verifying import Expectation, verify
from tests.corpus import corpus_files
from tests.drm.pdf.active import annotate, link, plain
from tests.drm.pdf.special import archival, signed
from tests.drm.pdf_drawing.samples import SPEC, document, saved, text_at


def copied(folder: Path, pdf: pikepdf.Pdf, spec: CopySpec = SPEC) -> tuple[Path, CopyReport]:
    (folder / "source.pdf").write_bytes(saved(pdf))
    return folder / "copy.pdf", make_copy(folder / "source.pdf", folder / "copy.pdf", spec)


def problems(path: Path) -> list[str]:
    """What qpdf's own checks find wrong; the library carries them, so no command need be installed."""
    with pikepdf.open(path) as pdf:
        return pdf.check_pdf_syntax()


def words(path: Path) -> list[str]:
    document_ = pypdfium2.PdfDocument(path)
    return [document_[number].get_textpage().get_text_bounded() for number in range(len(document_))]


@pytest.mark.parametrize("print_", ["none", "low", "full"])
@pytest.mark.parametrize("copy_text", [True, False])
def test_permissions_are_those_of_the_agreement(tmp_path: Path, print_: str, copy_text: bool) -> None:
    permissions = Permissions(print=print_, copy_text=copy_text)  # type: ignore[arg-type]  # one of the three
    out, _ = copied(tmp_path, plain(), replace(SPEC, permissions=permissions))

    with pikepdf.open(out) as copy:
        allowed, revision = copy.allow, copy.encryption.R
    assert revision == 6
    assert (allowed.extract, allowed.accessibility) == (copy_text, True)
    assert (allowed.print_lowres, allowed.print_highres) == (print_ != "none", print_ == "full")


def test_qpdf_finds_nothing_wrong_with_a_copy(tmp_path: Path) -> None:
    out, _ = copied(tmp_path, plain())

    assert problems(out) == []


def test_an_open_access_copy_is_plain_and_names_licence_and_source(tmp_path: Path) -> None:
    free = replace(
        SPEC,
        reader=None,
        open_access=OpenAccess("CC BY 4.0", "repository.example.org"),
        permissions=Permissions(encrypt=False),
    )
    out, report = copied(tmp_path, plain(), free)

    assert not report.encrypted
    assert all("CC BY 4.0" in text and "repository.example.org" in text for text in words(out)[1:])


def test_a_readers_password_opens_the_copy_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(saved(plain()))
    make_copy(tmp_path / "source.pdf", tmp_path / "copy.pdf", SPEC, reader_password="her own")

    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(tmp_path / "copy.pdf")
    assert len(pikepdf.open(tmp_path / "copy.pdf", password="her own").pages) == 3
    assert verify(tmp_path / "copy.pdf", password="her own").good


def test_links_outlines_and_labels_lead_to_the_same_article_pages(tmp_path: Path) -> None:
    pdf = document(*(text_at(72, 700, f"Page {number}") for number in range(1, 5)))
    annotate(pdf, link(Dictionary(S=Name.GoTo, D=Array([pdf.pages[2].obj, Name.Fit]))))
    annotate(pdf, link(Dictionary(S=Name.URI, URI=String("https://example.org/"))))
    pdf.Root.PageLabels = Dictionary(Nums=Array([0, Dictionary(S=Name.D, St=211)]))
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("Third", 2))
    out, _ = copied(tmp_path, pdf)

    copy = pikepdf.open(out)
    links = [one.A for one in copy.pages[1].obj.Annots]
    assert links[0].D[0].objgen == copy.pages[3].obj.objgen
    assert str(links[1].URI) == "https://example.org/"
    with copy.open_outline() as outline:
        target = outline.root[0].destination
        assert isinstance(target, pikepdf.Array)
        assert target[0].objgen == copy.pages[3].obj.objgen
    assert [page.label for page in copy.pages][1:] == ["211", "212", "213", "214"]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(595, 842), (842, 595), (300, 300)])
def test_pages_keep_their_size_rotation_and_words(tmp_path: Path, rotate: int, size: tuple[float, float]) -> None:
    pdf = document(text_at(72, 200, "Sediment memory"), size=size, Rotate=rotate)
    before = pypdfium2.PdfDocument(saved(pdf))[0].get_size()
    out, report = copied(tmp_path, pdf)

    assert report.pages == 2
    assert pypdfium2.PdfDocument(out)[1].get_size() == before
    assert "Sediment memory" in words(out)[1]


def test_the_archival_claim_is_dropped_and_told(tmp_path: Path) -> None:
    out, report = copied(tmp_path, pikepdf.open(io.BytesIO(archival())))

    assert "pdfa-claim" in report.repaired
    assert b"pdfaid" not in pikepdf.open(out).Root.Metadata.read_bytes()


def test_a_signature_keeps_its_looks_and_loses_its_claim(tmp_path: Path) -> None:
    out, report = copied(tmp_path, pikepdf.open(io.BytesIO(signed())))

    assert "signature" in report.repaired
    assert "Signed by the publisher" in words(out)[1]
    assert "/AcroForm" not in pikepdf.open(out).Root


def test_the_copy_names_its_delivery_and_never_the_reader_in_its_metadata(tmp_path: Path) -> None:
    out, _ = copied(tmp_path, plain())
    copy = pikepdf.open(out)

    metadata = copy.Root.Metadata.read_bytes()
    assert SPEC.delivery.encode() in metadata
    assert str(SPEC.reader).encode() not in metadata + str(dict(copy.docinfo)).encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pages": 9}, "output-invalid"),
        ({"delivery": "RL-OTHER"}, "stamp-missing"),
        ({"name": "Somebody Else"}, "stamp-missing"),
        ({"encrypted": False}, "output-invalid"),
    ],
)
def test_a_copy_that_is_not_what_was_asked_for_is_not_good(
    tmp_path: Path, change: dict[str, object], code: str
) -> None:
    out, report = copied(tmp_path, plain())
    right = Expectation(report.pages, SPEC.delivery, str(SPEC.reader), encrypted=True)

    assert verify(out, right).good
    assert verify(out, replace(right, **change)).code == code  # type: ignore[arg-type]  # names of Expectation


@pytest.mark.parametrize("page", [1, 2])
def test_a_copy_whose_stamp_was_taken_off_a_page_is_not_good(tmp_path: Path, page: int) -> None:
    out, _ = copied(tmp_path, plain())
    with pikepdf.open(out, allow_overwriting_input=True) as pdf:
        pdf.pages[page].obj.Contents = pdf.make_stream(b"")
        pdf.save(out)

    assert verify(out).code == "stamp-missing"


def test_a_copy_that_was_given_a_script_is_not_good(tmp_path: Path) -> None:
    out, _ = copied(tmp_path, plain())
    with pikepdf.open(out, allow_overwriting_input=True) as pdf:
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
        pdf.save(out)

    assert verify(out).code == "active-content"


@pytest.mark.corpus
@pytest.mark.filterwarnings("ignore:pikepdf is missing some specialized decoders")
@pytest.mark.parametrize("path", corpus_files("pdf/**/*.pdf", 100_000), ids=lambda path: path.name)
def test_every_small_file_of_the_corpus_is_copied_whole_or_refused(tmp_path: Path, path: Path) -> None:
    out = tmp_path / "copy.pdf"
    try:
        report = make_copy(path, out, SPEC)
    except PdfRefused as refused:
        assert refused.code not in {"crashed", "active-content"}, refused  # noqa: PT017
        assert not out.exists()
        return

    assert verify(out, Expectation(report.pages, SPEC.delivery, str(SPEC.reader), encrypted=True)).good
    assert problems(out) == [] or problems(path) != []
