"""rushlight pdf inspect, stamp and verify as people and scripts call them: exit codes, one line of error, never half a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from tests.drm.pdf.bad_files import REFUSED, good, locked

ROOT = Path(__file__).parents[2]
STAMP = ["--reader", "Niamh Okonkwo", "--delivery", "RL-7Q4M-2K9D", "--issued", "2026-11-24"]
FIELDS = {
    "sha256",
    "bytes",
    "version",
    "pages",
    "revisions",
    "linearized",
    "object_streams",
    "hybrid",
    "encryption",
    "page_groups",
    "labels",
    "outline",
    "tagged",
    "pdfa",
    "pdfua",
    "signatures",
    "acroform",
    "xfa",
    "active",
    "embedded_files",
    "external_refs",
    "text_pages",
    "image_only_pages",
    "title",
    "doi_seen",
    "warnings",
    "verdict",
    "engine_advice",
    "engine_reason",
    "attachments",
    "notes",
}
SUMMARY = {
    "engine",
    "fallback_reason",
    "pages",
    "bytes",
    "sha256",
    "etag",
    "base_len",
    "tail_len",
    "encrypted",
    "permissions",
    "master_id",
    "delivery",
    "wm_version",
    "removed",
    "repaired",
    "name_fallback",
    "overlap",
    "notes",
    "engine_reason",
}


def rushlight(*words: str | bytes | Path, give: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "admin.cli", "pdf", *(os.fsdecode(word) for word in words)]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, input=give, capture_output=True, text=True, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.pdf"
    path.write_bytes(good())
    return path


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (3, ""), done
    [line] = done.stderr.splitlines()
    assert line.startswith("refused: ")
    return line.split(": ")[1]


def test_the_report_has_every_field(source: Path) -> None:
    done = rushlight("inspect", source)

    report = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(report) == FIELDS
    assert (report["pages"], report["text_pages"], report["verdict"]["ok"]) == (2, 2, True)


def test_a_protected_file_has_a_report_with_its_code(tmp_path: Path) -> None:
    (tmp_path / "locked.pdf").write_bytes(locked())

    report = json.loads(rushlight("inspect", tmp_path / "locked.pdf").stdout)

    assert report["encryption"]["state"] == "password-required"
    assert report["verdict"]["code"] == "password-required"


def test_a_stamped_copy_is_good_and_its_summary_is_true(source: Path, tmp_path: Path) -> None:
    done = rushlight("stamp", source, "-o", tmp_path / "copy.pdf", *STAMP)

    summary = json.loads(done.stdout)
    assert done.returncode == 0
    assert set(summary) >= SUMMARY
    assert summary["bytes"] == (tmp_path / "copy.pdf").stat().st_size
    assert rushlight("verify", tmp_path / "copy.pdf").returncode == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王小明"),
        ("Zoë Müller-Ångström", "Zoë Müller-Ångström"),
        ("Ελένη Παπαδοπούλου", "Ελένη Παπαδοπούλου"),
        ("Дмитрий Щёголев", "Дмитрий Щёголев"),
        ("さくら キム 김민준", "さくら キム 김민준"),
        ("𠮷田", "𠮷田"),
        (") Tj (evil\\", ") Tj (evil\\"),
        ("عمر", "[reader]"),
        ("😀", "[reader]"),
    ],
)
def test_a_name_reads_back_as_it_was_given_or_as_its_fallback(
    source: Path, tmp_path: Path, name: str, shown: str
) -> None:
    done = rushlight("stamp", source, "-o", tmp_path / "copy.pdf", "--reader", name, "--delivery", "RL-1")

    assert done.returncode == 0, done.stderr
    text = pypdfium2.PdfDocument(tmp_path / "copy.pdf")[1].get_textpage().get_text_bounded()
    assert shown.replace(" ", "") in text.replace(" ", "").replace("\r\n", "")
    assert json.loads(done.stdout)["name_fallback"] == shown.startswith("[")


@pytest.mark.parametrize("name", ["", " ", "\u200b\u202e", "\t\n"])
def test_a_name_of_nothing_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    done = rushlight("stamp", source, "-o", tmp_path / "copy.pdf", "--reader", name, "--delivery", "RL-1")

    assert refused(done) == "bad-name"
    assert not (tmp_path / "copy.pdf").exists()


@pytest.mark.parametrize("kind", ["picture", "only a head", "password", "no pages", "dynamic form", "run length bomb"])
def test_a_refusal_is_one_line_and_leaves_no_file(tmp_path: Path, kind: str) -> None:
    maker, codes = REFUSED[kind]
    (tmp_path / "source.pdf").write_bytes(maker())

    done = rushlight("stamp", tmp_path / "source.pdf", "-o", tmp_path / "copy.pdf", *STAMP)

    assert refused(done) in codes
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]


def test_a_refusal_leaves_an_earlier_copy_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(REFUSED["password"][0]())
    (tmp_path / "copy.pdf").write_bytes(b"earlier")

    rushlight("stamp", tmp_path / "source.pdf", "-o", tmp_path / "copy.pdf", *STAMP)

    assert (tmp_path / "copy.pdf").read_bytes() == b"earlier"


@pytest.mark.parametrize("way", ["--password", "--password-file", "stdin"])
def test_a_password_opens_a_source_given_in_any_way(tmp_path: Path, way: str) -> None:
    (tmp_path / "locked.pdf").write_bytes(locked("öffne dich"))
    (tmp_path / "secret").write_text("öffne dich\n", encoding="utf-8")
    options = {
        "--password": ["--password", "öffne dich"],
        "--password-file": ["--password-file", str(tmp_path / "secret")],
        "stdin": ["--password-file", "-"],
    }[way]

    done = rushlight(
        "stamp", tmp_path / "locked.pdf", "-o", tmp_path / "copy.pdf", *STAMP, *options, give="öffne dich\n"
    )

    assert done.returncode == 0, done.stderr
    assert "encryption" in json.loads(done.stdout)["repaired"]


def test_a_readers_password_is_needed_to_open_and_to_verify(source: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("her own")
    out = tmp_path / "copy.pdf"

    assert rushlight("stamp", source, "-o", out, *STAMP, "--reader-password-file", tmp_path / "secret").returncode == 0
    assert rushlight("verify", out).returncode == 3
    assert rushlight("verify", out, "--password-file", tmp_path / "secret").returncode == 0


@pytest.mark.parametrize("option", ["--no-encrypt", "--no-print"])
def test_options_about_encryption_are_kept(source: Path, tmp_path: Path, option: str) -> None:
    done = rushlight("stamp", source, "-o", tmp_path / "copy.pdf", *STAMP, option)

    with pikepdf.open(tmp_path / "copy.pdf") as copy:
        assert copy.is_encrypted == (option == "--no-print")
        assert copy.allow.print_highres == (option == "--no-encrypt")
    assert json.loads(done.stdout)["encrypted"] == (option == "--no-print")


def test_a_file_that_is_no_copy_of_ours_gets_a_verdict_and_exit_3(source: Path) -> None:
    done = rushlight("verify", source)

    verdict = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, "")
    assert (verdict["good"], verdict["code"]) == (False, "stamp-missing")


def test_a_copy_cut_short_gets_a_verdict_and_exit_3(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.pdf"
    rushlight("stamp", source, "-o", out, *STAMP)
    out.write_bytes(out.read_bytes()[:-400])

    done = rushlight("verify", out)

    assert done.returncode == 3
    assert json.loads(done.stdout)["code"] == "output-invalid"


@pytest.mark.parametrize("name", ["论文 «1».pdf", "a b;c.pdf", "-dash.pdf", "new\nline.pdf", b"\xff\xfe.pdf"])
def test_a_path_may_hold_any_bytes(tmp_path: Path, name: str | bytes) -> None:
    folder = os.fsencode(tmp_path)
    path = os.path.join(folder, os.fsencode(name))
    Path(os.fsdecode(path)).write_bytes(good())

    done = rushlight("stamp", path, "-o", path + b".copy", *STAMP)

    assert done.returncode == 0, done.stderr
    assert rushlight("verify", path + b".copy").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["stamp"],
        ["stamp", "no-such-file.pdf", "-o", "out.pdf", *STAMP],
        ["inspect", "no-such-file.pdf"],
        ["verify", "no-such-file.pdf"],
        ["inspect", "."],
    ],
)
def test_wrong_usage_and_unreadable_paths_exit_2_without_a_traceback(words: list[str]) -> None:
    done = rushlight(*words)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.parametrize("options", [["--issued", "tomorrow"], ["--delivery", "a b"], ["--delivery", "x" * 99]])
def test_wrong_options_exit_2(source: Path, tmp_path: Path, options: list[str]) -> None:
    assert rushlight("stamp", source, "-o", tmp_path / "copy.pdf", *STAMP, *options).returncode == 2


def test_an_out_folder_that_is_missing_exits_2(source: Path, tmp_path: Path) -> None:
    assert rushlight("stamp", source, "-o", tmp_path / "none" / "copy.pdf", *STAMP).returncode == 2


def test_the_source_is_not_written_over_when_it_is_named_as_out(source: Path) -> None:
    before = source.read_bytes()

    done = rushlight("stamp", source, "-o", source, *STAMP)

    assert done.returncode == 2
    assert source.read_bytes() == before
