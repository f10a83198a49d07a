"""Rings for jobs through Celery; a ring that fails is no loss, the sweeper rings again."""

from __future__ import annotations

import queue
import threading
import time

from celery import Celery
from kombu.exceptions import KombuError

from admin.celery_app import TASK

MOST_WAITING = 1_000
"""Rings that may wait for a broker that is slow or away; more are dropped."""
ONCE_MORE = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0, "interval_max": 0.1}


class CeleryBell:
    """Sends jobs' ids to the queue from a thread of its own, so that nobody ever waits for a broker. Never raises.

    Make it after a fork: its thread is started by the first ring.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: queue.Queue[int] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.taken_at = 0.0
        """When the broker took a ring last, in monotonic seconds."""

    def ring(self, job_id: int) -> None:
        """Tell a worker about a job, soon. The row is durable already."""
        try:
            self._waiting.put_nowait(job_id)
        except queue.Full:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._send, name="bell", daemon=True)
                self._thread.start()

    def flush(self, seconds: float) -> bool:
        """Wait until all rings are sent, as a command does before it ends; False when time ran out."""
        end = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.02)
        return not self._waiting.unfinished_tasks

    def _send(self) -> None:
        while True:
            job_id = self._waiting.get()
            try:
                # Once more on a fresh connection: the broker closes those that were idle for minutes.
                self._app.send_task(TASK, args=[job_id], ignore_result=True, retry=True, retry_policy=ONCE_MORE)
                self.taken_at = time.monotonic()
            except (KombuError, OSError):
                # The broker is away. The sweeper of any process finds the row within seconds.
                pass
            finally:
                self._waiting.task_done()
