"""Runs PDF work in limited child processes, from any thread of any process."""

from __future__ import annotations

import atexit
import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from drm.pdf.values import CutOff, Limits, PdfRefused, TooBusy

GRACE_SECONDS = 10.0
START_SECONDS = 60.0
MOST_ANSWER = 8 * 1024 * 1024
TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
REFUSALS = {
    "timeout": ("timeout", "Working on the file takes too long."),
    "crashed": ("crashed", "The file makes the PDF library fail."),
    "memory": ("bomb", "The file needs more memory than it may have."),
}


class _ForkServer:
    """A small single-threaded process with the PDF libraries loaded, which forks one child for each job.

    Forking from a process with threads would copy locks that nobody releases; this server has none. It holds no socket but
    ours, an empty environment, and ends when we do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._owner = 0

    def send(self, job: socket.socket) -> None:
        """Hand the child's end of a job's socket to the server, starting it where needed."""
        with self._lock:
            for attempt in (1, 2):
                try:
                    socket.send_fds(self._running(), [b"j"], [job.fileno()])
                    return
                except OSError:
                    self._forget()
                    if attempt == 2:
                        raise OSError("The PDF sandbox does not take jobs.") from None

    def _running(self) -> socket.socket:
        alive = self._owner == os.getpid() and self._process is not None and self._process.poll() is None
        if self._socket is None or not alive:
            self._forget()
            self._start()
        assert self._socket is not None
        return self._socket

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        started = threading.Event()
        # Linux ends the server with the thread that started it (prctl(2), PR_SET_PDEATHSIG), not with the process: a
        # thread of a pool would take it along. So the starter is a thread that stays as long as the server does.
        threading.Thread(target=self._keep, args=(theirs, started), name="pdf-sandbox", daemon=True).start()
        started.wait()
        self._socket, self._owner = ours, os.getpid()
        ours.settimeout(START_SECONDS)
        if ours.recv(1) != b"r":
            raise OSError("The PDF sandbox did not start.")
        ours.settimeout(None)

    def _keep(self, theirs: socket.socket, started: threading.Event) -> None:
        try:
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "drm.pdf.sandbox_server", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    env={"PYTHONUTF8": "1", "PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C.UTF-8"},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                )
            self._process = process
        finally:
            started.set()
        process.wait()

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def stop(self) -> None:
        """End the server; closing the socket is its signal."""
        if self._owner == os.getpid():
            self._forget()
            if self._process is not None:
                self._process.wait(5)


_server = _ForkServer()
atexit.register(_server.stop)


BUSY = 0.5
"""A job that had less than this share of a processor ran out of time for want of it."""


@dataclass
class _Job:
    """What belongs together: when it began and ends, by the monotonic clock, and the processor's seconds that its children took."""

    began: float
    end: float
    spent: float = 0.0

    @classmethod
    def of(cls, limits: Limits) -> _Job:
        now = time.monotonic()
        return cls(now, now + limits.wall_seconds)

    def too_slow(self, now: float) -> PdfRefused:
        """Why there is no time left."""
        return TooBusy() if self.spent < BUSY * (now - self.began) else PdfRefused(*REFUSALS["timeout"])


_job: ContextVar[_Job | None] = ContextVar("job", default=None)


@contextmanager
def one_job(limits: Limits) -> Iterator[None]:
    """All children that are started inside share ``limits.wall_seconds``. A job inside another ends with that one."""
    if _job.get() is not None:
        yield
        return
    token = _job.set(_Job.of(limits))
    try:
        yield
    finally:
        _job.reset(token)


def run_limited(task: str, arguments: Mapping[str, object], limits: Limits) -> Any:
    """Run a task of drm.pdf.sandbox_tasks in a child of its own and return its plain value.

    OSError where the disk is full or fails, or no child can be had: that is no fault of the file. The child has limited memory,
    processor time, output and wall time (less of it inside ``one_job``), no environment, no other descriptors, and no network
    where the system permits. PdfRefused for what the task refuses, and for a child that takes too long, too much, or dies;
    NoVerdict where it took too long only because others had the processor, or nobody is left to tell.
    """
    whole = _job.get() or _Job.of(limits)
    now = time.monotonic()
    if whole.end <= now:
        raise whole.too_slow(now)
    limits = replace(limits, wall_seconds=min(limits.wall_seconds, whole.end - now))
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            _server.send(theirs)
        order = {"task": task, "arguments": dict(arguments), "limits": asdict(limits)}
        ours.settimeout(limits.wall_seconds + GRACE_SECONDS)
        ours.sendall(json.dumps(order).encode() + b"\n")
        ours.shutdown(socket.SHUT_WR)
        answer = _read(ours)
    except TimeoutError:
        raise TooBusy from None  # not even the guard, which has nothing to do but to watch the time, came to say so
    except ConnectionError:
        raise CutOff from None  # a child that dies is told of by its guard; any other error is a trouble of this machine
    finally:
        ours.close()
    return _value(answer, whole)


def _read(ours: socket.socket) -> bytes:
    data = bytearray()
    while piece := ours.recv(65_536):
        data += piece
        if len(data) > MOST_ANSWER:
            raise PdfRefused("bomb", "The report on the file is too long.")
    return bytes(data)


def _value(answer: bytes, whole: _Job) -> Any:
    if not answer:
        raise CutOff
    try:
        content = json.loads(answer)
    except ValueError:
        raise PdfRefused(*REFUSALS["crashed"]) from None
    whole.spent += float(content.get("spent", 0))
    if "value" in content:
        return content["value"]
    if content.get("errno") in TROUBLE:
        raise OSError(content["errno"], content["text"])
    if content.get("late"):
        raise whole.too_slow(time.monotonic())
    if content.get("end") in REFUSALS:
        raise PdfRefused(*REFUSALS[content["end"]])
    raise PdfRefused(str(content.get("code", "crashed")), str(content.get("text", "")))
