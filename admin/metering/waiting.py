"""What waits in the database at this moment, as Prometheus gauges."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from delivery.services.context import Context


class Waiting(Collector):
    """Jobs by kind and state, the age of the oldest that is due, requests that somebody waits for, the size of the log."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def collect(self) -> Iterator[Metric]:
        """The gauges, read in one transaction."""
        now = self._ctx.clock()
        with self._ctx.store.read() as work:
            lines, standing, size = work.jobs.lines(now), work.requests.waiting(now), work.log.size()
        jobs = GaugeMetricFamily("rushlight_jobs", "Jobs that are not done.", labels=["kind", "state"])
        oldest = GaugeMetricFamily(
            "rushlight_oldest_job_seconds", "For how long the oldest job has been due.", labels=["kind"]
        )
        for line in lines:
            jobs.add_metric([line.kind, line.state], line.count)
            if line.state == "queued":
                oldest.add_metric([line.kind], line.oldest.total_seconds())
        requests = GaugeMetricFamily("rushlight_requests", "Requests that wait for an answer.", labels=["state"])
        waited = GaugeMetricFamily(
            "rushlight_oldest_request_seconds", "How old the oldest of these requests is.", labels=["state"]
        )
        for standing_in in standing:
            requests.add_metric([standing_in.state], standing_in.count)
            waited.add_metric([standing_in.state], standing_in.oldest.total_seconds())
        yield from (jobs, oldest, requests, waited)
        yield GaugeMetricFamily("rushlight_log_events", "Events in the audit log.", value=size)
