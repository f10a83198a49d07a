"""Rings for jobs through Celery; a ring that fails is no loss, the sweeper rings again."""

from __future__ import annotations

from celery import Celery
from kombu.exceptions import KombuError

from admin.celery_app import TASK


class CeleryBell:
    """Sends a job's id to the queue. Never raises: the row is durable already."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def ring(self, job_id: int) -> None:
        """Tell a worker about a job."""
        try:
            self._app.send_task(TASK, args=[job_id], ignore_result=True, retry=False)
        except (KombuError, OSError):
            # The broker is away. The sweeper of any process finds the row within seconds.
            return
