"""The trailer of a source: what nobody knows there does no harm and is carried nowhere."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from drm.pdf.policy import Policy
from drm.pdf.tail.copying import copy_by_choice
from drm.pdf.values import CopyReport, Limits, Permissions
from drm.pdf.verifying import verify
from tests.drm.pdf.bad_files import raw, stream
from tests.drm.pdf_drawing.samples import SPEC

HIDDEN = b"SECRET-ORIGINAL " * 20
LONG = b"x" * 5000


def source(trailer: bytes) -> bytes:
    data = raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>>>",
        stream(b"0 0 9 9 re f"),
        stream(HIDDEN),
    )
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R" + trailer)


def copied(folder: Path, data: bytes, engine: str, encrypt: bool) -> tuple[bytes, CopyReport]:
    (folder / "source.pdf").write_bytes(data)
    wanted, policy = replace(SPEC, permissions=Permissions(encrypt=encrypt)), Policy(engine=engine)  # type: ignore[arg-type]  # a name of one
    report = copy_by_choice(folder / "source.pdf", folder / "copy.pdf", wanted, Limits(), policy=policy)
    assert verify(folder / "copy.pdf").good
    return (folder / "copy.pdf").read_bytes(), report


@pytest.mark.parametrize("engine", ["rewrite", "tail"])
@pytest.mark.parametrize(
    "trailer",
    [
        b"/Unknown(" + LONG + b")",
        b"/AAA<</Root 4 0 R/Info 4 0 R/Size 3/Length 3/W[1 1 1]>>",
        b"/AAA(>> stream\\n>>\\nstream\\n)",
        b"/Next<</S/JavaScript/JS(app.alert\\(1\\))>>",
        b"/ID[(" + LONG + b")(" + LONG + b")]",
        b"/ID[1 2]",
        b"/ID(one)",
    ],
    ids=["long", "nested", "words of a stream", "action", "long identifier", "numbers", "string"],
)
def test_an_unknown_entry_of_a_trailer_is_no_damage(tmp_path: Path, engine: str, trailer: bytes) -> None:
    copy, report = copied(tmp_path, source(trailer), engine, encrypt=True)

    assert (report.fallback_reason, report.pages) == (None, 2)
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        assert pdf.check_pdf_syntax() == []


@pytest.mark.parametrize("engine", ["rewrite", "tail"])
def test_what_only_a_trailer_names_is_not_in_a_plain_copy(tmp_path: Path, engine: str) -> None:
    copy, _ = copied(tmp_path, source(b"/Hidden 5 0 R/Next<</S/JavaScript/JS(1)>>"), engine, encrypt=False)
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        found = [one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream)]

        assert not {"/Hidden", "/Next"} & pdf.trailer.keys()
    assert HIDDEN not in found
