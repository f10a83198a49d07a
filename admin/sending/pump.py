"""The pump: one thread that sends to all slow readers, and a few that fetch what it sends."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from admin.process_log import log
from admin.sending.transfer import MOST_AT_ONCE, CutShort, Transfer

READERS = 8
"""Threads that wait for a disk, a database or a bucket, so that the pump itself never does."""
LINGER = 2.0
"""Seconds that a connection we end stays open for the reader to end it too (RFC 9112, 9.6)."""
Done = Callable[[bool], None]


@dataclass(frozen=True)
class Patience:
    """A reader must take ``least`` bytes in each ``seconds``; what is left when that is less."""

    seconds: float = 300.0
    least: int = 64 * 1024


def report_break(error: BaseException | None) -> None:
    """Note that we, not the reader, broke a transfer off. A copy withdrawn meanwhile is no fault."""
    if error is not None and not isinstance(error, CutShort):
        log().warning("transfer.broken", error=type(error).__name__)


@dataclass(eq=False)
class _Job:
    transfer: Transfer
    done: Done
    since: float
    taken: int


class Pump:
    """Sends transfers to their ends. ``done`` is called in a thread of the pump: True when all was sent."""

    def __init__(self, patience: Patience | None = None, readers: int = READERS) -> None:
        self._patience = patience or Patience()
        self._readers = ThreadPoolExecutor(readers, "fetching")
        self._selector = selectors.DefaultSelector()
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._jobs: set[_Job] = set()
        self._lingering: dict[socket.socket, tuple[float, Callable[[], None]]] = {}
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        """Begin sending."""
        self._selector.register(self._bell, selectors.EVENT_READ, self._hear)
        self._thread.start()

    def stop(self) -> None:
        """End at once; what was not sent is not."""
        self._ended = True
        self._tell(lambda: None)
        self._thread.join(5)
        self._readers.shutdown(wait=False, cancel_futures=True)

    def add(self, transfer: Transfer, done: Done) -> None:
        """Send the rest of an answer, and wait until the next one would not have to wait."""
        self._tell(partial(self._begin, transfer, done))

    def linger(self, sock: socket.socket, closed: Callable[[], None]) -> None:
        """Tell the reader that nothing more comes, and close the socket when he has understood."""
        self._tell(partial(self._half_close, sock, closed))

    def _tell(self, message: Callable[[], None]) -> None:
        self._inbox.put(message)
        os.eventfd_write(self._bell, 1)

    def _hear(self) -> None:
        os.eventfd_read(self._bell)
        with suppress(Empty):
            while True:
                self._inbox.get_nowait()()

    def _run(self) -> None:
        checked = time.monotonic()
        while not self._ended:
            for key, _ in self._selector.select(1.0):
                key.data()
            if time.monotonic() - checked >= 1.0:
                checked = time.monotonic()
                self._lose_patience(checked)

    def _begin(self, transfer: Transfer, done: Done) -> None:
        try:
            transfer.sock.setblocking(False)
            job = _Job(transfer, done, time.monotonic(), transfer.taken)
        except (OSError, ValueError):
            transfer.close()
            done(False)
            return
        self._jobs.add(job)
        self._wait_for_reader(job)

    def _wait_for_reader(self, job: _Job) -> None:
        self._selector.register(job.transfer.sock, selectors.EVENT_WRITE, partial(self._send, job))

    def _send(self, job: _Job) -> None:
        transfer = job.transfer
        if not transfer.left:
            self._finish(job, True)
            return
        end = max(0, transfer.left - MOST_AT_ONCE)
        try:
            while transfer.left > end and not transfer.wants_part:
                transfer.send()
        except BlockingIOError:
            return
        except OSError:
            self._finish(job, False)
            return
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one transfer must not end the others
            report_break(error)
            self._finish(job, False)
            return
        if transfer.wants_part:
            self._selector.unregister(transfer.sock)
            future = self._readers.submit(transfer.fetch)
            future.add_done_callback(lambda done: self._tell(partial(self._fetched, job, done)))

    def _fetched(self, job: _Job, fetched: Future[None]) -> None:
        error = None if fetched.cancelled() else fetched.exception()
        if fetched.cancelled() or error is not None:
            report_break(error)
            self._finish(job, False, registered=False)
            return
        job.since = time.monotonic()  # the time we took is not the reader's
        self._wait_for_reader(job)

    def _finish(self, job: _Job, whole: bool, registered: bool = True) -> None:
        if registered:
            self._selector.unregister(job.transfer.sock)
        self._jobs.discard(job)
        job.transfer.close()
        job.done(whole)

    def _lose_patience(self, now: float) -> None:
        registered = self._selector.get_map()
        for job in [job for job in self._jobs if now - job.since >= self._patience.seconds]:
            if job.transfer.sock not in registered:  # its part is being fetched
                continue
            taken = job.transfer.taken
            if taken - job.taken < self._patience.least:
                self._finish(job, False)
            job.since, job.taken = now, taken
        for sock in [sock for sock, (end, _) in self._lingering.items() if now >= end]:
            self._close(sock)

    def _half_close(self, sock: socket.socket, closed: Callable[[], None]) -> None:
        self._lingering[sock] = (time.monotonic() + LINGER, closed)
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
            self._selector.register(sock, selectors.EVENT_READ, partial(self._drain, sock))
        except (OSError, ValueError):
            self._close(sock)

    def _drain(self, sock: socket.socket) -> None:
        try:
            ended = not sock.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        _, closed = self._lingering.pop(sock)
        with suppress(KeyError, ValueError, OSError):
            self._selector.unregister(sock)
        sock.close()
        closed()
