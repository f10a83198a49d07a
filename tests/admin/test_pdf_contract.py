"""The contract of rushlight pdf: every refusal can happen, and whatever happens there is one line, one exit code, no half file."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Dictionary, Name, String

from admin.cli import main
from drm.pdf.values import REFUSAL_CODES
from tests.drm.pdf.bad_files import REFUSED, good, locked, raw
from tests.drm.pdf.special import archival, signed, with_attachment

ROOT = Path(__file__).parents[2]
COPY = ["-o", "copy.pdf", "--reader", "Niamh Okonkwo", "--delivery", "RL-7Q4M-2K9D", "--issued", "2026-11-24"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT), "RUSHLIGHT_HOME": str(folder / "home")}


def rushlight(folder: Path, *words: str, give: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own where its input or environment matters, else in this one, which is quicker."""
    command = [sys.executable, "-m", "admin.cli", "pdf", *words]
    if give or more:
        return subprocess.run(
            command, cwd=folder, env={**environment(folder), **more}, input=give, capture_output=True, check=False
        )
    written, told = io.BytesIO(), io.BytesIO()
    out, errors = io.TextIOWrapper(written, "utf-8"), io.TextIOWrapper(told, "utf-8")
    home, os.environ["RUSHLIGHT_HOME"] = os.environ.get("RUSHLIGHT_HOME"), str(folder / "home")
    try:
        with contextlib.chdir(folder), redirect_stdout(out), redirect_stderr(errors), pytest.raises(SystemExit) as end:
            main(["pdf", *words])
    finally:
        os.environ.pop("RUSHLIGHT_HOME")
        os.environ.update({"RUSHLIGHT_HOME": home} if home else {})
    out.flush()
    errors.flush()
    code = end.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(command, code, written.getvalue(), told.getvalue())


def many_pages() -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 5_004))
    pages = [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<<>>>>"] * 5_001
    return raw(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%b]/Count 5001>>" % kids, *pages)


SOURCES: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "not-a-pdf": (REFUSED["picture"][0], []),
    "damaged": (REFUSED["head and noise"][0], []),
    "password-required": (locked, []),
    "zero-pages": (REFUSED["no pages"][0], []),
    "too-many-pages": (many_pages, []),
    "bomb": (REFUSED["run length bomb"][0], []),
    "unsupported": (REFUSED["dynamic form"][0], []),
    "signed-policy": (signed, ["--signed", "refuse"]),
    "pdfa-policy": (archival, ["--pdfa", "keep"]),
    "bad-name": (good, ["--reader", "\u200b"]),
    "glyph-missing": (good, ["--library", "😀"]),
}


def refused(done: subprocess.CompletedProcess[bytes]) -> str:
    """The code of a refusal that is told as it must be."""
    assert (done.returncode, done.stdout) == (3, b""), done
    [line] = done.stderr.decode().splitlines()
    word, code, text = line.split(": ", 2)
    assert (word, bool(text.strip())) == ("refused", True)
    return code


@pytest.mark.parametrize("code", SOURCES)
def test_a_source_is_refused_with_each_code_that_it_can_have(tmp_path: Path, code: str) -> None:
    make, options = SOURCES[code]
    (tmp_path / "source.pdf").write_bytes(make())

    assert refused(rushlight(tmp_path, "stamp", "source.pdf", *COPY, *options)) == code
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]


def test_a_file_of_more_bytes_than_are_taken_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "source.pdf").open("wb") as file:
        file.write(good())
        file.truncate(600 * 1024 * 1024)

    assert refused(rushlight(tmp_path, "stamp", "source.pdf", *COPY)) == "too-large"
    report = json.loads(rushlight(tmp_path, "inspect", "source.pdf").stdout)
    assert (report["verdict"]["code"], report["bytes"]) == ("too-large", 600 * 1024 * 1024)


def given_a_script(folder: Path) -> None:
    with pikepdf.open(folder / "copy.pdf", allow_overwriting_input=True) as pdf:
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))
        pdf.save(folder / "copy.pdf")


def cut_short(folder: Path) -> None:
    (folder / "copy.pdf").write_bytes((folder / "copy.pdf").read_bytes()[:-300])


def never_stamped(folder: Path) -> None:
    (folder / "copy.pdf").write_bytes(good())


@pytest.mark.parametrize(
    ("code", "spoil"),
    [("active-content", given_a_script), ("output-invalid", cut_short), ("stamp-missing", never_stamped)],
)
def test_a_copy_gets_a_verdict_with_each_code_that_it_can_have(
    tmp_path: Path, code: str, spoil: Callable[[Path], None]
) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    rushlight(tmp_path, "stamp", "source.pdf", *COPY, "--no-encrypt")
    spoil(tmp_path)
    done = rushlight(tmp_path, "verify", "copy.pdf")

    assert (done.returncode, done.stderr) == (3, b"")
    assert json.loads(done.stdout)["code"] == code


def test_a_master_whose_key_is_gone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    rushlight(tmp_path, "prepare", "source.pdf", "-o", "MASTER")
    (tmp_path / "home" / "keys.json").unlink()

    assert refused(rushlight(tmp_path, "stamp", "MASTER", *COPY)) == "no-key"


def descendants(process: int) -> Iterator[int]:
    """The processes below one, whichever of its threads started them, the farthest last."""
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        for child in thread.read_text().split():
            yield int(child)
            yield from descendants(int(child))


def at_work(process: int) -> int | None:
    """The child that touches the file: below a fork server and a guard, in a session of its own; None before there is one."""
    try:
        below = list(descendants(process))
        session = int(Path(f"/proc/{below[-1]}/stat").read_text().split()[5]) if len(below) >= 3 else 0
    except OSError:
        return None
    return below[-1] if below and session == below[-1] else None


@pytest.mark.slow
@pytest.mark.parametrize(("signal_", "code"), [(signal.SIGKILL, "crashed"), (signal.SIGSTOP, "timeout")], ids=str)
def test_a_child_that_dies_or_stands_still_is_a_refusal(tmp_path: Path, signal_: signal.Signals, code: str) -> None:
    (tmp_path / "source.pdf").write_bytes(good(3_000))
    command = [sys.executable, "-m", "admin.cli", "pdf", "stamp", "source.pdf", *COPY]
    started = subprocess.Popen(
        command, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while (child := at_work(started.pid)) is None and started.poll() is None:
        time.sleep(0.01)
    assert child is not None
    os.kill(child, signal_)
    out, errors = started.communicate(timeout=60)

    assert refused(subprocess.CompletedProcess(command, started.returncode, out, errors)) == code
    assert [path.name for path in tmp_path.iterdir()] == ["source.pdf"]


def test_every_code_has_a_file_here_that_shows_it() -> None:
    elsewhere = {"too-large", "active-content", "output-invalid", "stamp-missing", "no-key", "crashed", "timeout"}

    assert set(REFUSAL_CODES) - elsewhere == set(SOURCES)


def test_a_fault_of_our_own_is_one_line_with_a_number(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "segno.py").write_text("raise RuntimeError('not installed as it should be')")
    (tmp_path / "source.pdf").write_bytes(good())

    done = rushlight(tmp_path, "inspect", "source.pdf", PYTHONPATH=f"{tmp_path / 'broken'}:{ROOT}")

    assert (done.returncode, done.stdout) == (70, b"")
    assert done.stderr.startswith(b"incident ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("kind", ["folder", "pipe", "missing"])
@pytest.mark.parametrize("command", ["inspect", "prepare", "stamp", "verify"])
def test_what_is_no_file_is_not_read(tmp_path: Path, command: str, kind: str) -> None:
    if kind == "folder":
        (tmp_path / "source.pdf").mkdir()
    elif kind == "pipe":
        os.mkfifo(tmp_path / "source.pdf")
    options = {"prepare": ["-o", "MASTER"], "stamp": COPY}.get(command, [])
    done = rushlight(tmp_path, command, "source.pdf", *options)

    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.parametrize("command", ["prepare", "stamp"])
def test_nothing_is_written_over_a_folder_or_a_device(tmp_path: Path, command: str) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    for out in ("folder", "pipe"):
        options = ["-o", out] if command == "prepare" else ["-o", out, *COPY[2:]]
        assert rushlight(tmp_path, command, "source.pdf", *options).returncode == 2
    assert list((tmp_path / "folder").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe", "source.pdf"]


def test_a_folder_in_which_nothing_can_be_written_exits_2(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(good())

    for command, options in (("prepare", []), ("stamp", COPY[2:])):
        assert rushlight(tmp_path, command, "source.pdf", "-o", "/proc/copy.pdf", *options).returncode == 2


def test_a_record_is_not_written_over_the_source(tmp_path: Path) -> None:
    (tmp_path / "MASTER.json").write_bytes(good())

    assert rushlight(tmp_path, "prepare", "MASTER.json", "-o", "MASTER").returncode == 2
    assert (tmp_path / "MASTER.json").read_bytes() == good()


@pytest.mark.parametrize("command", ["inspect", "stamp"])
def test_a_reader_of_the_output_who_leaves_is_no_fault(tmp_path: Path, command: str) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    words = [sys.executable, "-m", "admin.cli", "pdf", command, "source.pdf", *(COPY if command == "stamp" else [])]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        words, cwd=tmp_path, env=environment(tmp_path), stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, b"")


def test_output_is_utf_8_in_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(good())
    done = rushlight(
        tmp_path, "stamp", "source.pdf", *COPY, "--reader", "王小明", PYTHONUTF8="0", PYTHONIOENCODING="ascii"
    )

    assert json.loads(done.stdout.decode("utf-8"))["shown_name"] == "王小明"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        *((b"", 2), (b"\xff\xfe", 2), (b"\n", 2), (b"\xef\xbb\xbf\n", 2), ("öffne dich\r\n".encode(), 0)),
        *(("öffne dich".encode("utf-8-sig"), 0), ("öffne dich\nund zu\n".encode(), 2), ("öffne\rdich".encode(), 2)),
    ],
    ids=str,
)
def test_a_password_file_holds_a_password_or_is_refused(tmp_path: Path, data: bytes, code: int) -> None:
    (tmp_path / "source.pdf").write_bytes(locked("öffne dich"))

    done = rushlight(tmp_path, "inspect", "source.pdf", "--password-file", "-", give=data)

    assert done.returncode == code, done
    assert code or json.loads(done.stdout)["pages"] == 2


def test_two_passwords_do_not_fit_into_one_standard_input(tmp_path: Path) -> None:
    (tmp_path / "source.pdf").write_bytes(locked("a"))
    words = ["stamp", "source.pdf", *COPY, "--password-file", "-", "--reader-password-file", "-"]

    assert rushlight(tmp_path, *words, give=b"a\n").returncode == 2
    assert not (tmp_path / "copy.pdf").exists()


@pytest.mark.parametrize(
    ("make", "option", "code"),
    [
        (signed, ["--signed", "refuse"], "signed-policy"),
        (signed, ["--signed", "keep-visible"], "unsupported"),
        (lambda: good()[: good().rindex(b"startxref")], ["--damaged", "refuse"], "damaged"),
        (lambda: locked(""), ["--protected", "refuse"], "unsupported"),
    ],
)
def test_what_the_policy_does_not_take_is_refused_by_every_command(
    tmp_path: Path, make: Callable[[], bytes], option: list[str], code: str
) -> None:
    (tmp_path / "source.pdf").write_bytes(make())

    assert refused(rushlight(tmp_path, "prepare", "source.pdf", "-o", "MASTER", *option)) == code
    for engine in ("rewrite", "tail"):
        assert refused(rushlight(tmp_path, "stamp", "source.pdf", *COPY, *option, "--engine", engine)) == code
    verdict = json.loads(rushlight(tmp_path, "inspect", "source.pdf", *option).stdout)["verdict"]
    assert verdict["code"] == code
    assert rushlight(tmp_path, "stamp", "source.pdf", *COPY).returncode == 0


@pytest.mark.parametrize(
    ("make", "notes"),
    [
        (signed, ["signature-dropped", "form-flattened"]),
        (archival, ["pdfa-claim-dropped"]),
        (with_attachment, ["attachments-removed"]),
        (lambda: locked(""), ["publisher-restrictions"]),
        (good, []),
    ],
)
def test_what_was_done_is_told_before_and_afterwards_in_both_languages(
    tmp_path: Path, make: Callable[[], bytes], notes: list[str]
) -> None:
    (tmp_path / "source.pdf").write_bytes(make())

    for words in (["inspect", "source.pdf"], ["stamp", "source.pdf", *COPY], ["prepare", "source.pdf", "-o", "MASTER"]):
        told = json.loads(rushlight(tmp_path, *words).stdout)["notes"]
        assert [one["code"] for one in told] == notes
        assert all(one["en"] and one["zh"] for one in told)
