"""One Celery worker in a thread of the serving process, for installations without a broker."""

from __future__ import annotations

import threading
from typing import Any

import celery.worker.consumer  # noqa: F401  (importing it first avoids a circular import inside celery.worker)
from celery import Celery
from celery import worker as celery_worker
from celery.worker import state as worker_state
from kombu.asynchronous import get_event_loop


class _Controller(celery_worker.WorkController):
    """Celery's own worker; its Worker subclass would replace sys.stdout."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.ready = threading.Event()
        super().__init__(*args, **kwargs)

    def on_consumer_ready(self, consumer: object) -> None:
        """Celery calls this when it listens."""
        self.ready.set()


def _wake_up() -> None:
    """What a loop is called for that only has to look up."""


class EmbeddedWorker:
    """Start it after the server has forked: threads do not survive a fork. One per process (its stop flag is global)."""

    def __init__(self, app: Celery, threads: int) -> None:
        self._app = app
        self._threads = threads
        self._thread: threading.Thread | None = None

    def start(self, seconds: float = 20) -> bool:
        """Start and wait until it listens. False when it does not yet: its broker is away, and it goes on trying."""
        self._app.finalize()
        # The threads pool looks up the current app, which is thread-local: without this it drops every task silently.
        self._app.set_default()
        worker_state.should_stop = worker_state.should_terminate = None
        controller = _Controller(
            app=self._app,
            hostname="embedded@localhost",
            pool="threads",
            concurrency=self._threads,
            ready_callback=None,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
            loglevel="INFO",
        )
        self._thread = threading.Thread(target=controller.start, name="celery-embedded", daemon=True)
        self._thread.start()
        return controller.ready.wait(seconds)

    def stop(self, seconds: float = 10) -> None:
        """Finish what runs and end; jobs that are cut off are found again by their lease."""
        if self._thread is not None:
            setattr(worker_state, "should_stop", 0)  # noqa: B010 - the stubs know only None here
            if loop := get_event_loop():
                loop.call_soon(_wake_up)  # by itself an idle one looks up at its next timer, in up to ten seconds
            self._thread.join(seconds)
            worker_state.should_stop = None
