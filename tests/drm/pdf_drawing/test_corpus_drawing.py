"""Real files: the stamp adds itself and changes nothing else."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from drm.pdf.stamp import apply_stamp
from tests.corpus import corpus_files
from tests.drm.pdf_drawing.samples import SPEC, saved


def letters(text: str) -> Counter[str]:
    """The characters of a page, whatever the order in which the diagonal and the lines it crosses are read."""
    return Counter("".join(text.split()))


STAMP = letters("Niamh Okonkwo · RL-7Q4M-2K9D · Marram University Library · 24 Nov 2026" * 2 + "No further copies.")

FILES = [
    path
    for folder in ("article", "rotated", "userunit", "tagged", "cjk", "labels")
    for path in corpus_files(f"pdf/{folder}/*.pdf", largest=100_000)
]


@pytest.mark.corpus
@pytest.mark.skipif(not FILES, reason="no corpus")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_text_of_article_pages_is_unchanged_except_for_the_stamp(path: Path) -> None:
    data = path.read_bytes()
    try:
        pdf = pikepdf.open(io.BytesIO(data))
    except pikepdf.PdfError:
        pytest.skip("does not open")
    with pdf:
        count = len(pdf.pages)
        if not count:
            pytest.skip("no pages")
        plain = saved(pdf)
        report = apply_stamp(pdf, SPEC, data)
        copy = saved(pdf)

    before, after = pypdfium2.PdfDocument(plain), pypdfium2.PdfDocument(copy)
    assert len(after) == count + 1 == report.pages + 1
    for index in range(min(count, 5)):
        old = before[index].get_textpage().get_text_range()
        new = after[index + 1].get_textpage().get_text_range()
        assert letters(new) >= STAMP
        assert letters(new) - STAMP == letters(old)
