"""The Celery app. A message carries a job's id and nothing else; the job's row is the truth."""

from __future__ import annotations

import threading
from collections.abc import Callable

from celery import Celery

TASK = "rushlight.job"
QUEUE = "rushlight"


class Hands:
    """What runs a job in this process. Set once at start, before the worker takes its first message."""

    def __init__(self) -> None:
        self._run: Callable[[int], None] | None = None
        self._ready = threading.Event()

    def are(self, run: Callable[[int], None]) -> None:
        """Give the process its way to run jobs."""
        self._run = run
        self._ready.set()

    def run(self, job_id: int) -> None:
        """Run one job."""
        self._ready.wait(30)
        if self._run is not None:
            self._run(job_id)


hands = Hands()


def make_celery(broker_url: str) -> Celery:
    """A Celery app on a broker; "" is the embedded one, in memory.

    Acknowledging late and the quorum queue keep messages of a killed worker; even if all are lost, the sweeper rings again.
    """
    app = Celery("rushlight", broker=broker_url or "memory://", backend=None, set_as_current=True)
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=4,
    )
    if not broker_url:
        app.conf.broker_transport_options = {"polling_interval": 0.05}
    elif broker_url.startswith("redis"):
        app.conf.broker_transport_options = {
            "visibility_timeout": 900,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
        }
    elif broker_url.startswith("amqp"):
        app.conf.task_default_queue_type = "quorum"
        app.conf.worker_detect_quorum_queues = True
        app.conf.task_default_exchange_type = "topic"
        app.conf.broker_transport_options = {"confirm_publish": True}

    @app.task(name=TASK)
    def job(job_id: int) -> None:
        hands.run(job_id)

    return app
