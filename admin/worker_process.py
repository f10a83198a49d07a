"""What a working process does: a worker, the sweeper, the log's keeper. It loads nothing of the web."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from admin.bell import CeleryBell
from admin.celery_app import hands, make_celery
from admin.embedded import EmbeddedWorker
from admin.log_keeping import LogKeeper
from admin.metering.meters import Meters
from admin.process_log import log
from admin.settings import Settings
from admin.sweeper import Sweeper
from admin.watchdog import Hearing, LoneWork
from admin.wiring import Services, bounds_of, build_services, real_clock
from delivery.jobs import Job
from delivery.services.working import run_along, sweep

BROKER_PATIENCE = 5.0
"""Seconds that a worker waits at its start for the broker; then it begins without."""


def report_job(meters: Meters, began: float, what: str, job: Job, error: BaseException | None) -> None:
    """Ends and failures of jobs in the process log and the meters. Only the error's kind: its words may hold anything."""
    meters.job_seconds.labels(job.kind).observe(time.perf_counter() - began)
    meters.jobs.labels(job.kind, what.replace(" ", "_")).inc()
    if error is None:
        log().info(f"job.{what.replace(' ', '_')}", job=job.key, attempt=job.attempt)
    else:
        log().warning("job.failed", job=job.key, attempt=job.attempt, error=type(error).__name__)
        log().debug("job.failed.detail", job=job.key, detail=str(error)[:300])


class WorkerProcess:
    """What runs jobs: a Celery worker and the sweeper, in threads of this process."""

    works = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.celery = make_celery(settings.broker_url)
        self._bell = CeleryBell(self.celery)
        meters = Meters(settings.home / "metrics", real_clock())
        bounds = bounds_of(settings)
        self.services: Services = build_services(settings, self._bell.ring, meters=meters, bounds=bounds)
        self._sweeper = Sweeper(self.services.ctx, self._bell.ring, self._notice)
        self._keeper = LogKeeper(self.services.ctx, self.services.checkpointer)
        self._worker: EmbeddedWorker | None = None
        self._lone = LoneWork(self._due, self._run, settings.worker_threads)

    def start(self) -> None:
        """Start the worker, the sweeper and the log's keeper."""
        hands.are(self._run)
        hands.watchdog.deaf_after = self.settings.watchdog_seconds
        if self.works:
            self._worker = EmbeddedWorker(self.celery, self.settings.worker_threads)
            if not self._worker.start(BROKER_PATIENCE if self.settings.broker_url else 20):
                if not self.settings.broker_url:
                    raise RuntimeError("the embedded worker did not start")
                log().warning("broker.away", doing="jobs without it")
        self._sweeper.start()
        self._keeper.start()

    def stop(self) -> None:
        """Stop all, each beside the others, within ten seconds; what is cut off is found again by its lease."""
        ends = [self._keeper.stop, self._stop_sweeping, *([self._worker.stop] if self._worker is not None else [])]
        with ThreadPoolExecutor(len(ends)) as pool:
            for end in [pool.submit(end) for end in ends]:
                end.result()

    def _stop_sweeping(self) -> None:
        """In this sequence: a sweep may begin to work alone."""
        self._sweeper.stop()
        self._lone.stop(5)

    def _run(self, job_id: int) -> None:
        began = time.perf_counter()

        def report(what: str, job: Job, error: BaseException | None) -> None:
            nonlocal began
            report_job(self.services.meters, began, what, job, error)
            began = time.perf_counter()

        run_along(self.services.ctx, job_id, report)

    def _due(self, limit: int) -> tuple[int, ...]:
        return sweep(self.services.ctx, limit)

    def _notice(self, now: float, due: Sequence[int]) -> None:
        """Work without the broker while it brings nothing; begin anew when it took rings and brought nothing for long."""
        if not self.works:
            return
        heard = hands.watchdog.look(now, due, self._bell.taken_at)
        if heard is Hearing.ALONE:
            self._lone.start()
        elif heard is Hearing.DEAF:
            self._lone.stop()
            if not self._lone.busy:
                log().error("broker.deaf", doing="restart")
                self.restart()

    def restart(self) -> None:
        """This command again in the same process: every thread and connection is new. Nothing is in hand now."""
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line
