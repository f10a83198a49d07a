"""PDF work in limited children: whatever happens to a child, the caller gets a code and the next job is served."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drm.pdf import sandbox, sandbox_tasks
from drm.pdf.inspecting import inspect
from drm.pdf.rewrite import make_copy
from drm.pdf.sandbox import one_job, run_limited
from drm.pdf.spec_json import spec_to
from drm.pdf.values import CutOff, Limits, PdfRefused, TooBusy
from tests.drm.pdf.bad_files import good, page_with, stream
from tests.drm.pdf_drawing.samples import SPEC

ROOT = Path(__file__).parents[3]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.pdf"
    path.write_bytes(good())
    return path


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def server() -> int:
    process = sandbox._server._process
    assert process is not None
    return process.pid


@pytest.fixture
def stuck() -> Iterator[threading.Thread]:
    """A job that hangs: it opens a pipe that nobody writes to."""
    fifo = Path(f"/tmp/rushlight-stuck-{os.getpid()}")
    os.mkfifo(fifo)
    outcome: list[str] = []

    def run() -> None:
        try:
            run_limited("examine", {"path": str(fifo), "password": None}, Limits(wall_seconds=3))
        except PdfRefused as refused:
            outcome.append(refused.code)

    thread = threading.Thread(target=run)
    thread.outcome = outcome  # type: ignore[attr-defined]  # read by the tests
    yield thread
    fifo.unlink()


def grandchildren(source: Path) -> list[int]:
    inspect(source)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        found = [child for guard in children_of(server()) for child in children_of(guard)]
        if found:
            return found
        time.sleep(0.02)
    return []


def test_the_children_of_one_job_share_its_time(source: Path, stuck: threading.Thread) -> None:
    arguments, fifo = {"path": str(source), "password": None}, f"/tmp/rushlight-stuck-{os.getpid()}"
    with one_job(Limits(wall_seconds=5)):
        assert run_limited("examine", arguments, Limits())["pages"] == 2
        with pytest.raises(PdfRefused, match="timeout"), one_job(Limits()):
            run_limited("examine", {**arguments, "path": fifo}, Limits(wall_seconds=600))
        with pytest.raises(PdfRefused, match="timeout"):
            run_limited("examine", arguments, Limits())

    assert run_limited("examine", arguments, Limits())["pages"] == 2


def test_a_child_that_hangs_is_ended_and_called_too_slow(source: Path, stuck: threading.Thread) -> None:
    stuck.start()
    stuck.join(20)

    assert stuck.outcome == ["timeout"]  # type: ignore[attr-defined]
    assert inspect(source)["pages"] == 2


@pytest.mark.parametrize(("spent", "why"), [(14.9, TooBusy), (15.1, PdfRefused), (29.0, PdfRefused)])
def test_who_had_less_than_half_a_processor_ran_out_of_time_for_want_of_it(spent: float, why: type) -> None:
    job = sandbox._Job(began=100.0, end=130.0, spent=spent)

    assert type(job.too_slow(130.0)) is why


def test_what_the_children_of_a_job_take_of_the_processor_is_added_up(source: Path, stuck: threading.Thread) -> None:
    fifo = f"/tmp/rushlight-stuck-{os.getpid()}"
    with one_job(Limits(wall_seconds=3)):
        run_limited("examine", {"path": str(source), "password": None}, Limits())
        job = sandbox._job.get()
        assert job is not None
        after_one = job.spent
        with pytest.raises(TooBusy):
            run_limited("examine", {"path": fifo, "password": None}, Limits())

    assert 0 < after_one <= job.spent < 1


def test_a_child_that_dies_by_a_signal_is_a_refusal_and_the_next_job_works(
    source: Path, stuck: threading.Thread
) -> None:
    stuck.start()
    for child in grandchildren(source):
        os.kill(child, signal.SIGSEGV)
    stuck.join(20)

    assert stuck.outcome == ["crashed"]  # type: ignore[attr-defined]
    assert inspect(source)["pages"] == 2


def test_a_child_may_not_take_more_memory_than_its_limit(tmp_path: Path) -> None:
    big = tmp_path / "big.pdf"
    big.write_bytes(page_with(stream(zlib.compress(b" " * 60_000_000), b"/Filter/FlateDecode")))

    with pytest.raises(PdfRefused) as refused:
        make_copy(big, tmp_path / "copy.pdf", SPEC, Limits(memory_bytes=64 * 1024 * 1024))

    assert refused.value.code in {"bomb", "crashed"}
    assert make_copy(big, tmp_path / "copy.pdf", SPEC).pages == 2


def test_a_full_disk_is_no_fault_of_the_file(source: Path) -> None:
    arguments = {
        "path": str(source),
        "out": "/dev/full",
        "spec": spec_to(SPEC),
        "password": None,
        "reader_password": None,
    }

    with pytest.raises(OSError, match="No space left"):
        run_limited("copy", arguments, Limits())


def test_a_sandbox_that_cannot_be_started_is_no_fault_of_the_file(source: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from drm.pdf.inspecting import inspect; from drm.pdf.values import Limits\n"
        "sys.executable = '/nowhere/python'\n"
        "try:\n    inspect(Path(sys.argv[1]), Limits())\n"
        "except OSError as error:\n    print(error)\n"
    )

    said = subprocess.run([sys.executable, "-c", code, source], cwd=ROOT, capture_output=True, text=True, check=True)

    assert said.stdout == "The PDF sandbox does not take jobs.\n"


def test_when_the_fork_server_is_killed_the_next_job_starts_another(source: Path) -> None:
    inspect(source)
    os.kill(server(), signal.SIGKILL)
    time.sleep(0.2)

    assert inspect(source)["pages"] == 2


def test_a_job_whose_server_is_killed_is_no_fault_of_the_file(source: Path, stuck: threading.Thread) -> None:
    inspect(source)
    killing = threading.Timer(0.5, os.kill, (server(), signal.SIGKILL))
    killing.start()

    with pytest.raises(CutOff):
        run_limited("examine", {"path": f"/tmp/rushlight-stuck-{os.getpid()}", "password": None}, Limits())


def test_a_job_works_after_the_thread_that_started_the_server_has_ended(source: Path) -> None:
    sandbox._server.stop()
    starter = threading.Thread(target=inspect, args=(source,))
    starter.start()
    starter.join()
    first = server()
    time.sleep(0.3)

    assert inspect(source)["pages"] == 2
    assert server() == first, "the server went with the thread"


def test_jobs_of_many_threads_get_each_their_own_answer(tmp_path: Path) -> None:
    paths = []
    for pages in range(1, 9):
        path = tmp_path / f"{pages}.pdf"
        path.write_bytes(good(pages))
        paths.append(path)

    with ThreadPoolExecutor(8) as pool:
        assert [report["pages"] for report in pool.map(inspect, paths)] == list(range(1, 9))


def test_server_and_children_end_with_the_process_that_uses_them(source: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from drm.pdf import sandbox; from drm.pdf.inspecting import inspect;"
        "inspect(Path(sys.argv[1])); print(sandbox._server._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(source)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == -signal.SIGKILL
    end = time.monotonic() + 5
    while Path(f"/proc/{done.stdout.strip()}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{done.stdout.strip()}").exists()


def test_the_server_has_none_of_our_environment_and_no_listening_socket(source: Path) -> None:
    os.environ["RUSHLIGHT_TEST_SECRET"] = "told-to-nobody"
    sandbox._server.stop()
    inspect(source)
    del os.environ["RUSHLIGHT_TEST_SECRET"]

    assert b"told-to-nobody" not in Path(f"/proc/{server()}/environ").read_bytes()


def test_an_unknown_task_is_refused_and_not_a_crash() -> None:
    with pytest.raises(PdfRefused):
        run_limited("make-tea", {}, Limits())


def test_every_task_runs_in_a_child() -> None:
    assert set(sandbox_tasks.TASKS) == {"examine", "copy", "prepare", "prove", "prove-master", "render", "text"}
