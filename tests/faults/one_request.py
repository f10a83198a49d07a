"""One request from the asking to the last byte of its copy, in a process that waits until somebody looks at its system calls.

    python -m tests.faults.one_request

Reads lines "HOME LOG"; answers each with the id of a process that has stopped itself and goes on when told so. What it has
acknowledged stands in LOG.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from admin.pdf_works import SandboxedPdfWorks  # noqa: F401 - imported before the fork, once for all
from admin.settings import Settings
from admin.wiring import build_services
from delivery.lifecycle import State
from delivery.services import downloading, requesting
from delivery.services.copy_reading import Download, read_file
from delivery.services.requesting import Asked
from delivery.services.working import run_job, sweep

DOI = "10.5555/lantern.2021.0001"
READER = "maeve@harbour.example.org"


def go(home: Path, log: int) -> None:
    """Ask, work, open and read; each acknowledgement is written down with one call that no fault is injected into."""
    os.kill(os.getpid(), signal.SIGSTOP)
    services = build_services(Settings(home=home, _env_file=None))
    ctx = services.ctx
    with services.store.read() as work:
        reader = work.people.by_email(READER)
    assert reader is not None
    number = requesting.submit(ctx, reader, Asked({"doi": DOI}, deliberate=True)).request.number
    os.writev(log, [f"asked {number}\n".encode()])
    for _ in range(10):
        for job in sweep(ctx):
            run_job(ctx, job, lambda *_: None)
    with ctx.store.read() as work:
        request = work.requests.get(number)
    if request.state is not State.SUPPLIED:
        return
    os.writev(log, [f"supplied {number}\n".encode()])
    token = ctx.links.sign(request.delivery)
    downloading.open_window(ctx, token, downloading.look(ctx, token).nonce, reader)
    os.writev(log, [f"opened {number}\n".encode()])
    with ctx.store.read() as work:
        download = Download(work.deliveries.get(request.delivery), work.deliveries.tail(request.delivery))
    if len(b"".join(read_file(ctx, download, 0, download.size))) == download.size:
        os.writev(log, [f"read {number}\n".encode()])


def main() -> None:
    """Fork a stopped process for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print(datetime.now(UTC).isoformat(), flush=True)
    for line in sys.stdin:
        home, log = line.split()
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                go(Path(home), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
            except Exception as error:  # noqa: BLE001 - the fault came through, as it may; what was acknowledged is in the log
                os.writev(2, [f"{error!r}\n".encode()])
            finally:
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
