"""rushlight pdf prepare and stamp with masters: what is written, who may read it, which engine is taken and why."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from tests.drm.pdf.bad_files import good, locked

ROOT = Path(__file__).parents[2]
STAMP = ["--reader", "Niamh Okonkwo", "--delivery", "RL-7Q4M-2K9D", "--issued", "2026-11-24"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "source.pdf").write_bytes(good())
    return tmp_path


def rushlight(folder: Path, *words: str, give: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT), "RUSHLIGHT_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "admin.cli", "pdf", *words]
    return subprocess.run(command, cwd=folder, env=environment, input=give, capture_output=True, text=True, check=False)


@pytest.fixture
def prepared(folder: Path) -> Path:
    done = rushlight(folder, "prepare", "source.pdf", "-o", "MASTER")
    assert done.returncode == 0, done.stderr
    return folder


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (3, ""), done
    [line] = done.stderr.splitlines()
    assert line.startswith("refused: ")
    return line.split(": ")[1]


def test_preparing_writes_the_master_and_a_record_that_only_its_owner_reads(folder: Path) -> None:
    summary = json.loads(rushlight(folder, "prepare", "source.pdf", "-o", "MASTER").stdout)

    record = folder / "MASTER.json"
    assert (summary["bytes"], summary["pages"]) == ((folder / "MASTER").stat().st_size, 2)
    assert json.loads(record.read_text())["id"] == summary["master_id"]
    assert stat.S_IMODE(record.stat().st_mode) == stat.S_IMODE((folder / "home" / "keys.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["MASTER", "MASTER.json", "home", "source.pdf"]


def test_copies_of_a_master_are_good_and_the_same_bytes_every_time(prepared: Path) -> None:
    first = json.loads(rushlight(prepared, "stamp", "MASTER", "-o", "one.pdf", *STAMP).stdout)
    rushlight(prepared, "stamp", "MASTER", "-o", "two.pdf", *STAMP, "--engine", "tail")

    assert (prepared / "one.pdf").read_bytes() == (prepared / "two.pdf").read_bytes()
    assert (first["engine"], first["fallback_reason"]) == ("tail", None)
    assert first["bytes"] == first["base_len"] + first["tail_len"] == (prepared / "one.pdf").stat().st_size
    assert rushlight(prepared, "verify", "one.pdf").returncode == 0


@pytest.mark.parametrize(("engine", "taken"), [("auto", "tail"), ("tail", "tail"), ("rewrite", "rewrite")])
def test_the_summary_says_which_engine_made_the_copy(folder: Path, engine: str, taken: str) -> None:
    done = rushlight(folder, "stamp", "source.pdf", "-o", "copy.pdf", *STAMP, "--engine", engine)

    summary = json.loads(done.stdout)
    assert (summary["engine"], summary["fallback_reason"]) == (taken, None)
    assert (summary["tail_len"] > 0) == (taken == "tail")


@pytest.mark.parametrize("engine", ["tail", "rewrite"])
def test_either_engine_makes_a_plain_copy(folder: Path, engine: str) -> None:
    done = rushlight(folder, "stamp", "source.pdf", "-o", "copy.pdf", *STAMP, "--no-encrypt", "--engine", engine)

    assert json.loads(done.stdout)["encrypted"] is False
    assert not pikepdf.open(folder / "copy.pdf").is_encrypted


def test_a_readers_password_is_taken_from_standard_input(prepared: Path) -> None:
    words = ["stamp", "MASTER", "-o", "copy.pdf", *STAMP, "--reader-password-file", "-"]
    assert rushlight(prepared, *words, give="her own\n").returncode == 0

    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(prepared / "copy.pdf")
    assert len(pikepdf.open(prepared / "copy.pdf", password="her own").pages) == 3


def test_what_a_master_cannot_give_is_refused(prepared: Path) -> None:
    words = ["stamp", "MASTER", "-o", "copy.pdf", *STAMP]

    assert refused(rushlight(prepared, *words, "--no-encrypt")) == "unsupported"
    assert refused(rushlight(prepared, *words, "--engine", "rewrite")) == "unsupported"
    assert not (prepared / "copy.pdf").exists()


def test_a_master_without_its_record_or_key_is_refused(prepared: Path) -> None:
    (prepared / "home" / "keys.json").unlink()
    assert refused(rushlight(prepared, "stamp", "MASTER", "-o", "copy.pdf", *STAMP)) == "no-key"

    (prepared / "MASTER.json").unlink()
    assert refused(rushlight(prepared, "stamp", "MASTER", "-o", "copy.pdf", *STAMP)) == "damaged"


def test_a_protected_source_is_prepared_with_its_password_only(folder: Path) -> None:
    (folder / "locked.pdf").write_bytes(locked("open sesame"))

    assert refused(rushlight(folder, "prepare", "locked.pdf", "-o", "MASTER")) == "password-required"
    assert not (folder / "MASTER").exists()
    words = ["prepare", "locked.pdf", "-o", "MASTER", "--password-file", "-"]
    assert rushlight(folder, *words, give="open sesame\n").returncode == 0


def test_a_master_is_not_written_over_its_source(folder: Path) -> None:
    done = rushlight(folder, "prepare", "source.pdf", "-o", "source.pdf")

    assert done.returncode == 2
    assert (folder / "source.pdf").read_bytes() == good()
