"""A thread in every process that finds due jobs without a ring, closes ended links and tidies up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from admin.process_log import log
from delivery.errors import DeliveryError
from delivery.services import retaining
from delivery.services.context import Context
from delivery.services.expiring import expire_links, forget_old, remove_files, remove_jobs, remove_masters
from delivery.services.working import free_gone, sweep

PAUSE = 1.0
RING_AGAIN = 20.0
FREE_EVERY = 5.0
TIDY_EVERY = 30.0
FORGET_EVERY = 3600.0
STALE_WORK = 3600.0


class Sweeper:
    """Rings for due jobs; the same job again only after a while, so that a long queue is not rung twice a second.

    ``notice`` hears in each round what is due, so that a worker can tell when its broker is silent.
    """

    def __init__(
        self,
        ctx: Context,
        ring: Callable[[int], object],
        notice: Callable[[float, Sequence[int]], object] = lambda now, due: None,
    ) -> None:
        self._ctx = ctx
        self._ring = ring
        self._notice = notice
        self._rung: dict[int, float] = {}
        self._tidied = self._forgot = self._freed = 0.0
        self._walked: int | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begin sweeping."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present round."""
        self._end.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._end.wait(PAUSE):
            try:
                self.round(time.monotonic())
            except DeliveryError as error:
                log().warning("sweep.postponed", code=error.code)
            except Exception as error:  # noqa: BLE001 - the sweeper is the last net and must go on
                log().error("sweep.failed", error=type(error).__name__)

    def round(self, now: float) -> None:
        """One round; ``now`` is a monotonic time in seconds."""
        self._rung = {job: at for job, at in self._rung.items() if now - at < RING_AGAIN}
        if now - self._freed >= FREE_EVERY:
            self._freed = now
            free_gone(self._ctx)
        due = sweep(self._ctx, limit=200)
        for job_id in due:
            if job_id not in self._rung:
                self._rung[job_id] = now
                self._ring(job_id)
        self._notice(now, due)
        if now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            with ExitStack() as chores:
                # The last that is put here is done first. One that fails is told of when the others are done.
                chores.callback(self._remove_jobs)
                chores.callback(remove_files, self._ctx)
                chores.callback(expire_links, self._ctx)
        if now - self._forgot >= FORGET_EVERY:
            self._forgot = now
            self._walked = self._walked or 0
            forget_old(self._ctx)
            remove_masters(self._ctx)
            retaining.schedule(self._ctx)
            stale = self._ctx.clock().timestamp() - STALE_WORK
            self._ctx.copies.sweep(stale)
            self._ctx.blobs.sweep(stale)

    def _remove_jobs(self) -> None:
        if self._walked is not None:
            self._walked = remove_jobs(self._ctx, self._walked) or None
