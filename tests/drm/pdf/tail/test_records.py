"""The record beside a master may hold anything: it is used, or the file counts as no master, or the copy is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drm.pdf.tail.copying import copy_of_master, read_record, record_path, write_record
from drm.pdf.tail.values import master_to
from drm.pdf.values import PdfRefused
from tests.drm.pdf.tail.masters import KEYS, Ready, ready
from tests.drm.pdf_drawing.samples import SPEC

WRONG: list[object] = [
    None,
    "x",
    "zz",
    -1,
    0,
    10**12,
    1.5,
    True,
    [],
    {},
    [None],
    [{}],
    ["x"],
    float("nan"),
    float("inf"),
]


def outcome(one: Ready, content: dict[str, object]) -> str:
    """What becomes of a copy of a master with this record."""
    record_path(one.path).write_text(json.dumps(content))
    master = read_record(one.path)
    if master is None:
        return "no master"
    try:
        return "copy" if Ready(one.path, master).tail(SPEC).data else "nothing"
    except PdfRefused as refused:
        return refused.code


def test_no_wrong_value_in_any_field_of_a_record_is_our_fault(tmp_path: Path) -> None:
    one = ready(tmp_path)
    content = master_to(one.master)
    outcomes = {outcome(one, {**content, field: value}) for field in content for value in WRONG}

    assert outcomes == {"copy", "no master", "no-key", "unsupported"}


@pytest.mark.parametrize("part", ["forms", "fonts"])
def test_no_wrong_value_inside_a_list_of_a_record_is_our_fault(tmp_path: Path, part: str) -> None:
    one = ready(tmp_path)
    content = master_to(one.master)
    first, *others = content[part]
    outcomes = {
        outcome(one, {**content, part: [{**first, field: value}, *others]}) for field in first for value in WRONG
    }

    assert outcomes == {"copy", "no master"}


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"[]", b"{}", b"[1,2", b'"x"'])
def test_what_is_no_record_makes_no_master_of_a_file(tmp_path: Path, content: bytes) -> None:
    one = ready(tmp_path)
    record_path(one.path).write_bytes(content)

    assert read_record(one.path) is None


def test_a_folder_beside_a_file_is_not_its_record(tmp_path: Path) -> None:
    one = ready(tmp_path)
    record_path(one.path).mkdir()

    assert read_record(one.path) is None


def test_a_true_record_still_makes_copies(tmp_path: Path) -> None:
    one = ready(tmp_path)
    write_record(one.master, one.path)
    master = read_record(one.path)

    assert master == one.master
    assert copy_of_master(one.path, master, tmp_path / "copy.pdf", SPEC, KEYS).engine == "tail"
