"""Plain bad input to ``rushlight pdf``: a sentence and a code, never an incident number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.admin.test_pdf_contract import COPY, refused, rushlight
from tests.drm.pdf.bad_files import good


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "source.pdf").write_bytes(good())
    return tmp_path


@pytest.mark.parametrize("library", ["", " ", "\u200b\u202e", "\udcff"])
def test_a_library_of_which_nothing_can_be_seen_is_refused(folder: Path, library: str) -> None:
    assert refused(rushlight(folder, "stamp", "source.pdf", *COPY, "--library", library)) == "bad-name"


def test_a_master_for_a_library_of_which_nothing_can_be_seen_is_refused(folder: Path) -> None:
    assert refused(rushlight(folder, "prepare", "source.pdf", "-o", "M", "--library", "\u200b")) == "bad-name"


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_a_master_is_not_written_over_a_folder(folder: Path, out: str) -> None:
    assert rushlight(folder, "prepare", "source.pdf", "-o", out).returncode == 2


@pytest.mark.parametrize("wrong", [{"size": "x"}, {"root": None}, {"cover": []}, {"base_len": -1}, {"forms": 5}])
def test_a_master_with_a_wrong_record_is_refused(folder: Path, wrong: dict[str, object]) -> None:
    assert rushlight(folder, "prepare", "source.pdf", "-o", "M").returncode == 0
    record = folder / "M.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), **wrong}))

    assert refused(rushlight(folder, "stamp", "M", *COPY)) == "damaged"


@pytest.mark.parametrize("beside", ["a folder", "deep"])
def test_a_good_file_is_stamped_whatever_lies_beside_it(folder: Path, beside: str) -> None:
    record = folder / "source.pdf.json"
    record.mkdir() if beside == "a folder" else record.write_text("[" * 100_000)

    assert rushlight(folder, "stamp", "source.pdf", *COPY).returncode == 0
