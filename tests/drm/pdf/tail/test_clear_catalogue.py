"""The catalogue stands in every tail as it was saved, not encrypted: it holds names, numbers and references only."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from drm.pdf.tail.preparing import _without_parts
from drm.pdf.values import PdfRefused
from tests.drm.pdf.active import plain
from tests.drm.pdf.tail.masters import ready
from tests.services.commands import needed

ADDRESS = "https://example.org/standard"


@pytest.mark.parametrize("kind", ["one", "list", "of an object", "in place of the library's"])
def test_a_copy_holds_no_clear_text_of_the_extensions_that_its_source_names(tmp_path: Path, kind: str) -> None:
    pdf = plain()
    one = Dictionary(
        BaseVersion=Name("/1.7"), ExtensionLevel=32001, ExtensionRevision=String(":2022"), URL=String(ADDRESS)
    )
    held = {"list": Array([one]), "in place of the library's": one}.get(kind, one)
    found = Dictionary({"/ADBE" if kind.startswith("in place") else "/ISO_": held})
    pdf.Root.Extensions = pdf.make_indirect(found) if kind == "of an object" else found
    copy = ready(tmp_path, pdf).copy()

    assert ADDRESS.encode() not in copy
    assert b"2022" not in copy
    with pikepdf.open(io.BytesIO(copy)) as again:
        assert list(again.Root.Extensions.keys()) == ["/ADBE"]


@pytest.mark.service
def test_qpdf_finds_nothing_wrong_with_a_copy_of_a_file_of_version_2(tmp_path: Path) -> None:
    pdf = plain()
    pdf.Root.Version = Name("/2.0")
    pdf.Root.Extensions = Dictionary(
        ISO_=Dictionary(BaseVersion=Name("/2.0"), ExtensionLevel=32001, URL=String(ADDRESS))
    )
    (tmp_path / "copy.pdf").write_bytes(ready(tmp_path, pdf).copy())
    needed("qpdf", "qpdf")

    assert subprocess.run(["qpdf", "--check", tmp_path / "copy.pdf"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("text", [b"/Lang (en)", b"/Lang <656e>"])
def test_a_catalogue_with_text_in_it_becomes_no_master(text: bytes) -> None:
    with pytest.raises(PdfRefused) as refused:
        _without_parts(b"<< /Pages << /Kids [2 0 R] >> " + text + b" /RlParts [3 0 R] >>")

    assert refused.value.code == "output-invalid"
