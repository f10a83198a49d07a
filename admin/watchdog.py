"""Notices when the broker no longer brings jobs to this process: then it works without it, and in the end begins anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import Enum

from admin.process_log import log
from delivery.errors import DeliveryError

ALONE_AFTER = 5.0
"""Seconds that a job may be due, in a process with nothing to do, before it is done without a ring."""


class Hearing(Enum):
    """What the watchdog says of the broker."""

    GOOD = "good"
    ALONE = "alone"
    DEAF = "deaf"


class Watchdog:
    """Knows what came, what runs, and since when jobs have been due. All times are monotonic seconds."""

    def __init__(self, deaf_after: float = 30.0) -> None:
        self.deaf_after = deaf_after
        """Seconds that nothing may come after a ring that the broker took."""
        self._lock = threading.Lock()
        self._running = 0
        self._came = 0.0
        self._due: dict[int, float] = {}
        self._missed: float | None = None

    @contextmanager
    def brought(self, now: float) -> Iterator[None]:
        """A job that the broker brought, for as long as it runs."""
        with self._lock:
            self._came, self._missed = now, None
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def look(self, now: float, due: Sequence[int], rung_at: float) -> Hearing:
        """What to do about the jobs that are due; ``rung_at`` is when the broker took a ring last."""
        with self._lock:
            self._due = {job: self._due.get(job, now) for job in due}
            if self._missed is None and rung_at > self._came:
                self._missed = rung_at
            oldest = min(self._due.values(), default=now)
            if self._running or now - max(oldest, self._came) < ALONE_AFTER:
                return Hearing.GOOD
            deaf = self._missed is not None and now - self._missed >= self.deaf_after
            return Hearing.DEAF if deaf else Hearing.ALONE


class LoneWork:
    """Does due jobs in threads of its own, without the broker, until none is left."""

    def __init__(self, due: Callable[[int], Sequence[int]], run: Callable[[int], object], threads: int) -> None:
        self._due = due
        self._run = run
        self._threads = threads
        self._thread: threading.Thread | None = None
        self._enough = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether it is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, unless it is at work already."""
        if not self.busy:
            self._enough.clear()
            self._thread = threading.Thread(target=self._work, name="lone-work", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 0) -> None:
        """Take no more jobs than those in hand."""
        self._enough.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        log().warning("broker.silent", doing="jobs without it")
        with ThreadPoolExecutor(self._threads, thread_name_prefix="lone") as pool, suppress(DeliveryError):
            while not self._enough.is_set() and (jobs := self._due(self._threads)):
                for done in [pool.submit(self._run, job) for job in jobs]:
                    done.result()
