"""A master is proved by more than its word: each fault planted in one is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Name

from drm.pdf.copying import URN
from drm.pdf.opening import translated
from drm.pdf.rewrite import make_copy
from drm.pdf.tail.personalise import blank_tail
from drm.pdf.tail.proving import MasterProof, prove_master
from drm.pdf.values import PdfRefused, Permissions
from drm.pdf.verifying import Verdict, verify
from tests.drm.pdf.tail.masters import KEYS, Ready, ready
from tests.drm.pdf_drawing.samples import SPEC, document, saved, text_at

PAGE = text_at(72, 700, "An article")


@pytest.fixture
def one(tmp_path: Path) -> Ready:
    return ready(tmp_path, document(PAGE, PAGE + b" 300 300 99 99 re f"))


def proof(one: Ready, **other: Any) -> MasterProof:
    folder, tail = one.path.parent, one.tail()
    (folder / "tail").write_bytes(tail.data)
    expect = {"pages": tail.pages, "delivery": SPEC.delivery, "names": [SPEC.reader], "encrypted": True}
    key = KEYS.open(one.master).file_key.hex()
    whole = MasterProof(
        one.path, one.master.base_len, folder / "tail", expect, key, folder / "source.pdf", password=None
    )
    return replace(whole, **other)


def refused(what: MasterProof) -> str:
    with pytest.raises(PdfRefused) as refusal, translated():
        prove_master(what)
    return refusal.value.code


def changed_source(one: Ready, *contents: bytes) -> MasterProof:
    path = one.path.with_name("other.pdf")
    path.write_bytes(saved(document(*contents)))
    return proof(one, source=path)


def test_a_good_master_is_proved_on_all_its_pages(one: Ready) -> None:
    assert prove_master(proof(one))["pages_read"] == 3


def test_a_page_that_shows_more_than_its_source_is_found(one: Ready) -> None:
    assert refused(changed_source(one, PAGE, b"")) == "output-invalid"


def test_a_page_that_shows_less_than_its_source_is_found(one: Ready) -> None:
    assert refused(changed_source(one, PAGE + b" 0 0 200 200 re f", PAGE)) == "output-invalid"


def test_a_master_that_opens_without_a_tail_is_found(one: Ready) -> None:
    one.path.write_bytes(saved(document(PAGE)))
    assert refused(proof(one, length=one.path.stat().st_size)) == "output-invalid"


def test_stamps_that_paint_nothing_are_found(one: Ready) -> None:
    what = proof(one)
    what.tail.write_bytes(blank_tail(one.master, SPEC, KEYS))
    assert refused(what) == "stamp-missing"


def test_the_copy_of_somebody_else_is_found(one: Ready) -> None:
    what = proof(one)
    assert refused(replace(what, expect={**what.expect, "names": ["Somebody Else"]})) == "stamp-missing"


def test_a_copy_that_its_reader_cannot_open_is_found_though_its_key_fits(one: Ready) -> None:
    what = proof(one)
    what.tail.write_bytes(one.tail(password="not the empty one").data)
    assert refused(what) == "output-invalid"


def test_a_file_key_that_does_not_fit_is_found(one: Ready) -> None:
    assert refused(proof(one, file_key="00" * 32)) in {"damaged", "output-invalid", "stamp-missing"}


def test_a_form_of_the_page_is_not_taken_for_its_stamp(tmp_path: Path) -> None:
    """What is taken off before pages are compared is the last form alone, though the page has one of its own."""
    pdf = document(b"/Own Do")
    own = pdf.make_stream(b"0 0 300 300 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 300, 300])
    pdf.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Own=own))
    one = ready(tmp_path, pdf)
    assert prove_master(proof(one))["pages_read"] == 2
    assert refused(changed_source(one, b"")) == "output-invalid"


def altered(tmp_path: Path, change: Callable[[pikepdf.Pdf], object]) -> Verdict:
    """What is said of a copy that is not encrypted after somebody changed it."""
    source, out = tmp_path / "source.pdf", tmp_path / "copy.pdf"
    source.write_bytes(saved(document(PAGE, PAGE)))
    make_copy(source, out, replace(SPEC, permissions=Permissions(encrypt=False)))
    assert verify(out).good
    with pikepdf.open(out, allow_overwriting_input=True) as pdf:
        change(pdf)
        pdf.save(out)
    return verify(out)


def without_cover(pdf: pikepdf.Pdf) -> None:
    del pdf.pages[0]


def painted_over(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[1].obj
    page.Contents.append(pdf.make_stream(b"q 1 g 0 0 2000 2000 re f Q % /RlS Do"))


def painted_over_and_quoted(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[1].obj
    page.Contents.append(pdf.make_stream(b"q 1 g 0 0 2000 2000 re f Q (/RlS Do Q) pop"))


def of_another_number(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata() as metadata:
        metadata["dc:identifier"] = URN + "A"


@pytest.mark.parametrize("change", [without_cover, painted_over, painted_over_and_quoted, of_another_number])
def test_a_copy_without_its_cover_painted_over_or_of_another_number_is_not_good(
    tmp_path: Path, change: Callable[[pikepdf.Pdf], object]
) -> None:
    verdict = altered(tmp_path, change)

    assert (verdict.good, verdict.code) == (False, "stamp-missing")
