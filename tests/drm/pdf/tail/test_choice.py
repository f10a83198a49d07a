"""Which engine makes a copy is decided by what happens, and the report says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from drm.pdf.tail.copying import Engine, copy_by_choice
from drm.pdf.values import CopyReport, CopySpec, Limits, PdfRefused
from tests.drm.pdf.active import plain
from tests.drm.pdf_drawing.samples import SPEC, saved


def failing(code: str) -> Engine:
    def engine(source: Path, out: Path, spec: CopySpec, limits: Limits, one: str | None, two: str | None) -> CopyReport:
        raise PdfRefused(code, "It went wrong.")

    return engine


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source.pdf").write_bytes(saved(plain()))
    return tmp_path / "source.pdf"


@pytest.mark.parametrize("code", ["output-invalid", "stamp-missing", "active-content"])
def test_where_the_tail_engine_fails_its_own_checks_the_other_takes_over_and_says_why(source: Path, code: str) -> None:
    report = copy_by_choice(source, source.with_name("copy.pdf"), SPEC, first=failing(code))

    assert (report.engine, report.fallback_reason) == ("rewrite", f"{code}: It went wrong.")


@pytest.mark.parametrize("code", ["damaged", "bomb", "timeout", "glyph-missing"])
def test_what_is_wrong_with_the_file_is_refused_and_not_tried_again(source: Path, code: str) -> None:
    with pytest.raises(PdfRefused) as refused:
        copy_by_choice(source, source.with_name("copy.pdf"), SPEC, first=failing(code))

    assert refused.value.code == code
    assert not source.with_name("copy.pdf").exists()
