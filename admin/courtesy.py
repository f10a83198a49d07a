"""Lets jobs stand back while many requests come in at once, where one process serves and works: a reader waits for an answer, a
job waits anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

FEW = 2
"""Requests that change something and are answered at the same time, up to which no job stands back."""

PATIENCE = 2.0
"""Seconds that a job stands back at most, so that work goes on however long a rush lasts."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Courtesy:
    """Counts the requests under way that may change something; those that only read are not among them."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._under_way = 0
        self._calm = threading.Condition()

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """The app, counted. Making the answer counts, not sending it."""

        def counted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] in READING:
                return app(environ, start_response)
            self._change(1)
            try:
                return app(environ, start_response)
            finally:
                self._change(-1)

        return counted

    def stand_back(self) -> None:
        """Wait while more than a few are under way, but never long."""
        with self._calm:
            self._calm.wait_for(lambda: self._under_way <= FEW, self._patience)

    def _change(self, by: int) -> None:
        with self._calm:
            self._under_way += by
            if self._under_way <= FEW:
                self._calm.notify_all()
