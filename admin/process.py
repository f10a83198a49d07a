"""What a serving or working process does: both apps, the worker, the sweeper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from admin.app import create_staff_app
from admin.bell import CeleryBell
from admin.celery_app import hands, make_celery
from admin.embedded import EmbeddedWorker
from admin.process_log import log, start_logging
from admin.serving import BothApps, Ports, serve, with_addresses
from admin.settings import Settings
from admin.sweeper import Sweeper
from admin.web_settings import web_settings
from admin.wiring import Services, build_services
from delivery.jobs import Job
from delivery.services.working import run_job
from delivery.web.app import create_reader_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def report_job(what: str, job: Job, error: BaseException | None) -> None:
    """Ends and failures of jobs in the process log. Only the error's kind: its words may hold anything."""
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
        self.services: Services = build_services(settings, CeleryBell(self.celery).ring)
        self._sweeper = Sweeper(self.services.ctx, CeleryBell(self.celery).ring)
        self._worker: EmbeddedWorker | None = None

    def start(self) -> None:
        """Start the worker and the sweeper."""
        hands.are(lambda job_id: _run(self.services, job_id))
        if self.works:
            self._worker = EmbeddedWorker(self.celery, self.settings.worker_threads)
            self._worker.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Stop both; what is cut off is found again by its lease."""
        self._sweeper.stop()
        if self._worker is not None:
            self._worker.stop()


class ServingProcess(WorkerProcess):
    """Both web apps, made after the fork. Jobs run here too, unless a broker is set: then worker processes have them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.works = not settings.broker_url

    def apps(self) -> WSGIApplication:
        """Both web apps behind one WSGI callable."""
        return BothApps(
            {
                str(self.settings.reader_port): create_reader_app(
                    self.services.ctx, web_settings(self.services, "reader")
                ),
                str(self.settings.staff_port): create_staff_app(
                    self.services.ctx, web_settings(self.services, "staff"), self.settings
                ),
            }
        )


def _run(services: Services, job_id: int) -> None:
    run_job(services.ctx, job_id, report_job)


def run_server(settings: Settings, ports: Ports) -> None:
    """Serve both apps until a signal ends it."""
    settings = with_addresses(settings, ports)
    start_logging(settings.log_level)
    held: list[ServingProcess] = []

    def load() -> WSGIApplication:
        process = ServingProcess(settings)
        held.append(process)
        return process.apps()

    def stop() -> None:
        for process in held:
            process.stop()

    serve(settings, ports, load, lambda: held[0].start(), stop)  # noqa: PLW0108 - held is empty until load has run
