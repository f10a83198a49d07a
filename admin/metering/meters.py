"""What the processes of an installation count and time, kept so that one of them can tell it for all.

Names and labels are those of the operator's guide; no label holds anything about a person or a single request.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from drm.audit.events import Event

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
KEPT_SECONDS = 30 * 24 * 3600

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, which nothing asks for


class Meters:
    """Counters and timers. With a folder, those of all processes that share it add up, also of ones that have ended.

    With ``now`` the files of processes that ended long before it are taken away; what younger ones counted is part of the sums.
    The folder has to be known before the first meter of a process is made: the client library then writes to files there.
    """

    def __init__(self, folder: Path | None = None, now: datetime | None = None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if now is not None:
                _forget_old(folder, now.timestamp() - KEPT_SECONDS)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self.events = self._counter("rushlight_events", "Events written to the audit log.", "kind")
        self.troubles = self._counter("rushlight_database_troubles", "Transactions that failed.", "code")
        self.mails = self._counter("rushlight_mails", "Letters by what became of them.", "outcome")
        self.fetches = self._counter("rushlight_fetches", "Tries at a source by outcome.", "source", "outcome")
        self.jobs = self._counter("rushlight_jobs_ended", "Runs of jobs by how they ended.", "kind", "how")
        self.refusals = self._counter("rushlight_pdf_refusals", "Files that the PDF engine refused.", "act", "code")
        self.fetch_seconds = self._timer("rushlight_fetch_seconds", "Time of a try at a source.", SLOW, "source")
        self.job_seconds = self._timer("rushlight_job_seconds", "Time of a run of a job.", SLOW, "kind")
        self.pdf_seconds = self._timer("rushlight_pdf_seconds", "Time of one act of the PDF engine.", SLOW, "act")
        self.http_seconds = self._timer(
            "rushlight_http_seconds", "Time until an answer begins.", QUICK, "app", "endpoint", "method", "status"
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def _timer(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self._registry, buckets=buckets)

    def recorded(self, events: Sequence[Event]) -> None:
        """Events that are durable now."""
        for event in events:
            self.events.labels(event.kind).inc()

    def troubled(self, code: str) -> None:
        """A transaction that failed for a reason of the database."""
        self.troubles.labels(code).inc()

    def text(self, *more: Collector) -> bytes:
        """Everything in the text format of Prometheus, with what further collectors tell."""
        told = self._registry
        if self._folder is not None:
            told = CollectorRegistry()
            MultiProcessCollector(told, str(self._folder))  # type: ignore[no-untyped-call]
        others = CollectorRegistry()
        for collector in more:
            others.register(collector)
        return generate_latest(told) + generate_latest(others)


@contextmanager
def timed(timer: Histogram) -> Iterator[None]:
    """Observe how long the block took, however it ended."""
    start = time.perf_counter()
    try:
        yield
    finally:
        timer.observe(time.perf_counter() - start)


def _forget_old(folder: Path, before: float) -> None:
    for file in folder.glob("*.db"):
        try:
            pid = int(file.stem.rpartition("_")[2])
            if file.stat().st_mtime < before and not Path(f"/proc/{pid}").exists():
                file.unlink()
        except (ValueError, OSError):  # another process took it away, or it is none of ours
            continue
