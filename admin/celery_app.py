"""The Celery app. A message carries a job's id and nothing else; the job's row is the truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from admin.watchdog import Watchdog

TASK = "rushlight.job"
QUEUE = "rushlight"
MOST_RINGS = 10
"""How often RabbitMQ gives one ring to workers that die of it. The row counts for itself; this only ends the ringing."""


class Hands:
    """What runs a job in this process. Set once at start, before the worker takes its first message."""

    def __init__(self) -> None:
        self._run: Callable[[int], None] | None = None
        self._ready = threading.Event()
        self.watchdog = Watchdog()

    def are(self, run: Callable[[int], None]) -> None:
        """Give the process its way to run jobs."""
        self._run = run
        self._ready.set()

    def run(self, job_id: int) -> None:
        """Run one job that the broker brought."""
        self._ready.wait(30)
        if self._run is not None:
            with self.watchdog.brought(time.monotonic()):
                self._run(job_id)


hands = Hands()


def make_celery(broker_url: str) -> Celery:
    """A Celery app on a broker; "" is the embedded one, in memory.

    Acknowledging late and the quorum queue keep messages of a killed worker; even if all are lost, the sweeper rings again.
    Nothing is ever scheduled here: when a job is due stands in its row.
    """
    app = Celery("rushlight", broker=broker_url or "memory://", backend=None, set_as_current=True)
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_serializer="json",
        event_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=4,
        **_transport(broker_url),
    )

    @app.task(name=TASK)
    def job(job_id: int) -> None:
        hands.run(job_id)

    return app


def _transport(broker_url: str) -> dict[str, Any]:
    """What only one kind of broker needs."""
    if not broker_url:
        return {"broker_transport_options": {"polling_interval": 0.05}}
    if broker_url.startswith("redis"):
        # Rings of a dead worker come back after this long; the sweeper is sooner. A sweep every 5 s, not every 100.
        sweeping = {"visibility_timeout": 900, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
        # A server that hangs is told from one that is slow, and left.
        patience = {"socket_timeout": 10, "socket_connect_timeout": 4, "health_check_interval": 10}
        return {"broker_transport_options": sweeping | patience}
    if broker_url.startswith("amqp"):
        exchange = Exchange(QUEUE, type="topic", durable=True)
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": MOST_RINGS}
        return {
            "task_queues": [Queue(QUEUE, exchange, routing_key=QUEUE, queue_arguments=arguments)],
            "task_default_exchange": QUEUE,
            "task_default_exchange_type": "topic",
            "task_default_routing_key": QUEUE,
            "task_default_queue_type": "quorum",
            "worker_detect_quorum_queues": True,
            "broker_transport_options": {"confirm_publish": True},
        }
    return {}
