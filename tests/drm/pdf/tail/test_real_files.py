"""Real files: each is prepared and copied whole, or refused with a reason; what opened before opens without a complaint."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest

from drm.pdf.tail.copying import copy_by_tail
from drm.pdf.values import PdfRefused
from tests.corpus import corpus_files
from tests.drm.pdf_drawing.samples import SPEC


def complaints(path: Path) -> list[str]:
    try:
        with pikepdf.open(path) as pdf:
            return pdf.check_pdf_syntax()
    except pikepdf.PdfError as error:
        return [str(error)]


@pytest.mark.corpus
@pytest.mark.filterwarnings("ignore:pikepdf is missing some specialized decoders")
@pytest.mark.parametrize("path", corpus_files("pdf/**/*.pdf", 100_000), ids=lambda path: path.name)
def test_every_small_file_of_the_corpus_is_copied_by_a_tail_or_refused(tmp_path: Path, path: Path) -> None:
    try:
        report = copy_by_tail(path, tmp_path / "copy.pdf", SPEC)
    except PdfRefused as refusal:
        assert refusal.code not in {"crashed", "active-content", "output-invalid"}, refusal  # noqa: PT017
        assert not list(tmp_path.iterdir())
        return

    assert report.tail_len < 10_000
    assert len(pikepdf.open(tmp_path / "copy.pdf").pages) == report.pages
    assert not complaints(tmp_path / "copy.pdf") or complaints(path)
