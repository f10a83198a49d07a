"""A thread in every process that signs checkpoints which are due and brings them to the places outside."""

from __future__ import annotations

import threading

from admin.log_wiring import Checkpointer
from admin.process_log import log
from delivery.errors import DeliveryError
from delivery.services.context import Context
from delivery.services.witnessing import give_checkpoints

PAUSE = 1.0


class LogKeeper:
    """Apart from the sweeper: a place outside that does not answer keeps nothing else waiting."""

    def __init__(self, ctx: Context, checkpointer: Checkpointer) -> None:
        self._ctx, self._checkpointer = ctx, checkpointer
        self._end = threading.Event()
        self._told: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="log-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present round; a place that does not answer is not waited for."""
        self._end.set()
        self._thread.join(2)

    def _run(self) -> None:
        while not self._end.wait(PAUSE):
            try:
                self.round()
            except DeliveryError as error:
                log().warning("log.keeping_postponed", code=error.code)
            except Exception as error:  # noqa: BLE001 - the log must go on being signed
                log().error("log.keeping_failed", error=type(error).__name__)

    def round(self) -> None:
        """Sign what is due, then tell the world; the same trouble with a place is told once."""
        self._checkpointer.sign()
        troubles = give_checkpoints(self._ctx)
        for place, why in troubles.items():
            if self._told.get(place) != why:
                log().warning("log.place_failed", place=place, detail=why)
        self._told = troubles
