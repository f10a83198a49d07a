"""One writer after the other on SQLite, which lets only one write at a time: the next is woken at once.

SQLite itself would let the others sleep and look again, up to a tenth of a second too long.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_AGAIN = 0.0004
"""Seconds until a process looks again whether another has left. The longest is a tenth of what a small transaction takes."""


class NoTurn(Exception):
    """It was not this writer's turn in time."""


class Turns:
    """The line of all writers of one SQLite database on this machine.

    In a process a lock keeps the line; between processes ``flock`` on a file beside the database does, which the kernel takes back
    from a process that dies. Who writes without a turn, as other programs do, meets SQLite's own locks as ever: turns keep
    order, they are not what makes writing safe.
    """

    def __init__(self, database: Path | None) -> None:
        self._line = threading.Lock()
        self._path = database.with_name(f"{database.name}-turn") if database is not None else None
        self._opened: tuple[int, int] | None = None

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait for a turn and keep it until left. Raises ``NoTurn`` after ``seconds``."""
        end = time.monotonic() + seconds
        if not self._line.acquire(timeout=seconds):
            raise NoTurn
        try:
            file = self._file()
            if file is not None:
                _take(file, end)
            try:
                yield
            finally:
                if file is not None:
                    fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            self._line.release()

    def _file(self) -> int | None:
        """The file of the line, opened anew after a fork: a lock belongs to what was opened, and a child's would be its parent's."""
        if self._path is None:
            return None
        if self._opened is None or self._opened[0] != os.getpid():
            try:
                self._opened = os.getpid(), os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:  # a folder where nothing can be made, or a full disk: SQLite's own locks hold
                return None
        return self._opened[1]


def _take(file: int, end: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise NoTurn from None
            time.sleep(LOOK_AGAIN)
