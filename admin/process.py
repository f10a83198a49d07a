"""What a serving process does: both apps, and what a working process does."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from admin.app import create_staff_app
from admin.courtesy import Courtesy
from admin.metering.web import watch
from admin.process_log import start_logging
from admin.serving import BothApps, Ports, answer_bad_bodies, serve, with_addresses
from admin.settings import Settings
from admin.web_settings import web_settings
from admin.worker_process import WorkerProcess
from delivery.web.app import create_reader_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class ServingProcess(WorkerProcess):
    """Both web apps, made after the fork. Jobs run here too, unless a broker is set: then worker processes have them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.works = not settings.broker_url
        self._courtesy = Courtesy()

    def restart(self) -> None:
        """End this serving process in an orderly way; its parent starts another at once."""
        os.kill(os.getpid(), signal.SIGTERM)

    def apps(self) -> WSGIApplication:
        """Both web apps behind one WSGI callable."""
        services = self.services
        reader = create_reader_app(services.ctx, web_settings(services, "reader"))
        staff = create_staff_app(services.ctx, web_settings(services, "staff"), self.settings, services.meters)
        for app in (reader, staff):
            watch(app, services.meters)
            answer_bad_bodies(app)
        both = BothApps({str(self.settings.reader_port): reader, str(self.settings.staff_port): staff})
        return self._courtesy.around(both)

    def _run(self, job_id: int) -> None:
        self._courtesy.stand_back()
        super()._run(job_id)


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
