"""Signed, archival, protected and damaged files are treated as the policy says, and what was done is told."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from drm.pdf.inspecting import inspect
from drm.pdf.notes import note_sentences, note_texts, notes_of
from drm.pdf.policy import FileFacts, Policy, facts_in, policy_from, policy_to
from drm.pdf.rewrite import make_copy
from drm.pdf.tail.copying import copy_by_choice
from drm.pdf.values import CopyReport, CopySpec, Limits, PdfRefused, Permissions
from drm.pdf.verifying import verify
from tests.drm.pdf.active import plain
from tests.drm.pdf.special import archival, signed, undisplayed_layer, with_attachment
from tests.drm.pdf_drawing.samples import SPEC, saved, texts, widths

PLAIN = replace(SPEC, permissions=Permissions(encrypt=False))
KEEP = Policy(pdfa="keep")


def copied(folder: Path, data: bytes, policy: Policy = Policy(), spec: CopySpec = SPEC) -> tuple[bytes, CopyReport]:
    (folder / "source.pdf").write_bytes(data)
    report = copy_by_choice(folder / "source.pdf", folder / "copy.pdf", spec, policy=policy)
    return (folder / "copy.pdf").read_bytes(), report


@pytest.mark.parametrize("engine", ["rewrite", "tail"])
@pytest.mark.parametrize(
    ("language", "words"), [("en", "signature is not preserved"), ("zh", "不保留出版者的数字签名")]
)
def test_a_copy_of_a_signed_file_keeps_the_looks_and_says_on_its_cover_what_is_gone(
    tmp_path: Path, engine: str, language: str, words: str
) -> None:
    policy = policy_from({"engine": engine})
    data, report = copied(tmp_path, signed(), policy, replace(SPEC, language=language))  # type: ignore[arg-type]

    pages = texts(data)
    assert words.replace(" ", "") in pages[0].replace(" ", "")
    assert "Signed by the publisher" in pages[1]
    assert report.notes == ("signature-dropped", "form-flattened")


def test_the_cover_of_a_file_that_was_not_signed_says_nothing_of_signatures(tmp_path: Path) -> None:
    data, report = copied(tmp_path, saved(plain()))

    assert "signature" not in texts(data)[0]
    assert report.notes == ()


@pytest.mark.parametrize("engine", ["rewrite", "tail"])
@pytest.mark.parametrize("direction", [pikepdf.Name.R2L, pikepdf.String("R2L")])
def test_a_copy_that_lies_from_right_to_left_is_found_good_and_still_does(
    tmp_path: Path, engine: str, direction: pikepdf.Object
) -> None:
    pdf = plain()
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(Direction=direction)

    data, _ = copied(tmp_path, saved(pdf), policy_from({"engine": engine}))

    with pikepdf.open(io.BytesIO(data)) as copy:
        assert copy.Root.ViewerPreferences.Direction == direction


def test_a_copy_that_lies_from_right_to_left_without_a_stamp_is_not_found_good(tmp_path: Path) -> None:
    pdf = plain()
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(Direction=pikepdf.Name.R2L)
    data, _ = copied(tmp_path, saved(pdf), policy_from({"engine": "rewrite"}), PLAIN)
    with pikepdf.open(io.BytesIO(data)) as copy:
        form = next(value for name, value in copy.pages[1].Resources.XObject.items() if name.startswith("/RlS"))
        form.write(b"")
        copy.save(tmp_path / "wiped.pdf")

    assert verify(tmp_path / "wiped.pdf").code == "stamp-missing"


@pytest.mark.parametrize("part", ["1", "2", "3"])
def test_an_archival_file_stays_one_where_the_policy_keeps_it(tmp_path: Path, part: str) -> None:
    data, report = copied(tmp_path, archival(part), KEEP, PLAIN)
    pdf = pikepdf.open(io.BytesIO(data))

    assert (report.engine, report.engine_reason, report.encrypted) == ("rewrite", "engine-archival", False)
    assert "pdfa-kept" in report.notes
    assert verify(tmp_path / "copy.pdf").good
    assert inspect(tmp_path / "copy.pdf")["pdfa"] == {"part": part, "conformance": "B", "claimed": True}
    # ISO 19005-1: 6.1.4 and 6.1.13 no object streams; 6.7.2 metadata unpacked; 6.7.3 Info and metadata agree
    assert b"/ObjStm" not in data
    assert "/Filter" not in pdf.Root.Metadata
    with pdf.open_metadata() as metadata:
        assert metadata["dc:title"] == str(pdf.docinfo["/Title"]) == SPEC.citation.title
        assert metadata["dc:identifier"] == f"urn:rushlight:delivery:{SPEC.delivery}"


def test_an_archival_copy_has_no_transparency_and_no_colour_of_a_device(tmp_path: Path) -> None:
    data, _ = copied(tmp_path, archival(), KEEP, PLAIN)
    pdf = pikepdf.open(io.BytesIO(data))
    stamp = pdf.pages[1].Resources.XObject["/RlS"]

    for one in (pdf.pages[0], stamp):
        assert all(state.ca == state.CA == 1 and "/BM" not in state for state in one.Resources.ExtGState.values())
        assert set(one.Resources.ColorSpace.keys()) == {"/DefaultGray", "/DefaultRGB"}
        for font in one.Resources.Font.values():
            descriptor = font.FontDescriptor
            assert "/FontFile2" in descriptor or str(descriptor.CharSet).startswith("/")
            # ISO 19005-1, 6.3.6: as wide in the font's file as in the document
            assert "/FontFile2" in descriptor or all(round(told, 6) == meant for told, meant in widths(font))
    assert "/Group" not in stamp


def test_a_claim_that_a_copy_cannot_keep_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(PdfRefused) as refused:
        copied(tmp_path, archival("4"), KEEP, PLAIN)

    assert refused.value.code == "pdfa-policy"


def test_an_archival_copy_that_must_be_encrypted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PdfRefused) as refused:
        copied(tmp_path, archival(), KEEP)
    with pytest.raises(PdfRefused) as with_password:
        make_copy(tmp_path / "source.pdf", tmp_path / "copy.pdf", PLAIN, Limits(), None, "her own", KEEP)

    assert (refused.value.code, with_password.value.code) == ("pdfa-policy", "pdfa-policy")
    assert not (tmp_path / "copy.pdf").exists()


def test_the_tail_engine_does_not_pretend_to_keep_an_archival_file(tmp_path: Path) -> None:
    with pytest.raises(PdfRefused) as refused:
        copied(tmp_path, archival(), Policy("tail", pdfa="keep"), PLAIN)

    assert refused.value.code == "unsupported"


def test_an_ordinary_file_is_encrypted_under_a_policy_that_keeps_archival_ones(tmp_path: Path) -> None:
    _, report = copied(tmp_path, saved(plain()), KEEP)

    assert (report.engine, report.encrypted) == ("tail", True)


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        (signed, "signatures", 1),
        (with_attachment, "embedded_files", 1),
        (with_attachment, "attachments", ["data.csv"]),
        (archival, "pdfa", {"part": "2", "conformance": "B", "claimed": True}),
    ],
)
def test_a_report_tells_what_is_special(tmp_path: Path, data: object, field: str, value: object) -> None:
    assert callable(data)
    (tmp_path / "source.pdf").write_bytes(data())

    assert inspect(tmp_path / "source.pdf")[field] == value


def test_a_report_tells_of_layers_that_are_not_shown(tmp_path: Path) -> None:
    pdf = plain()
    undisplayed_layer(pdf)
    (tmp_path / "source.pdf").write_bytes(saved(pdf))

    assert inspect(tmp_path / "source.pdf")["notes"] == ["hidden-layers"]


def test_the_facts_of_a_report_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(signed())

    assert facts_in(inspect(tmp_path / "source.pdf")) == FileFacts(signed=True)


def test_a_policy_survives_json() -> None:
    policy = Policy("rewrite", 2, "refuse", "keep", "refuse", "refuse")

    assert policy_from(policy_to(policy)) == policy


@pytest.mark.parametrize("content", [{"engine": "best"}, {"prepare_after": 0}, {"colour": "red"}, {"signed": None}])
def test_a_policy_that_is_none_is_an_error(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"can be|counts from|has no"):
        policy_from(content)


def test_notes_have_a_code_for_everything_that_can_be_removed_and_words_for_every_code() -> None:
    codes = notes_of(["JavaScript*3", "EF", "PieceInfo", "external data", "form"], ["structure", "encryption"])

    assert set(codes) == {
        *("active-content-removed", "attachments-removed", "hidden-data-removed", "external-content-removed"),
        *("form-flattened", "repaired", "publisher-restrictions"),
    }
    for language in ("en", "zh"):
        assert all(note_texts(note_sentences(), language))


@pytest.mark.slow
def test_a_report_on_a_file_of_five_hundred_million_bytes_fits_into_the_memory_of_a_child(tmp_path: Path) -> None:
    image = (
        b"<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/Length %d>>stream\n"
    )
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"]
    bodies += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</Im 4 0 R>>>>>>"]
    length, places = 500 * 1024 * 1024, list[int]()
    with (tmp_path / "source.pdf").open("wb") as file:
        file.write(b"%PDF-1.7\n")
        for number, body in enumerate([*bodies, image % length], 1):
            places.append(file.tell())
            file.write(b"%d 0 obj\n%b" % (number, body) + (b"\nendobj\n" if number < 4 else b""))
        file.seek(length, 1)  # a hole takes no room on the disk
        file.write(b"\nendstream\nendobj\n")
        start = file.tell()
        file.write(b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places))
        file.write(b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)

    report = inspect(tmp_path / "source.pdf")

    assert (report["pages"], report["revisions"], report["image_only_pages"]) == (1, 1, 1)


ROOT = Path(__file__).parents[3]
EXAMINED = """
import resource, sys
from pathlib import Path
from drm.pdf.examining import examine
from drm.pdf.values import Limits
from tools.prepare_memory import write_scan
path = Path(sys.argv[1])
write_scan(path, 2**20)
examine(path, Limits(), None)
write_scan(path, 150 * 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pages = examine(path, Limits(), None)["image_only_pages"]
print(pages, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_report_on_a_scan_of_many_pages_takes_little_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", EXAMINED, str(tmp_path / "scan.pdf")]
    pages, grown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()

    assert int(pages) > 100
    assert int(grown) < 64, "megabytes"
