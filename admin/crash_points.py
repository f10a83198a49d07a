"""Named places where a process of a test ends as if its power had gone: before and after each commit and each effect.

Without ``RUSHLIGHT_TESTING`` nothing of this is in the way of anything: no object is wrapped and no name is compared.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from admin.settings import Settings
from delivery.services.context import Context
from delivery.sources import Fetcher
from delivery.stores import Source

MARKS = "crash-points"
"""The folder in the home folder where each point that was met leaves its name: no process dies twice at the same."""
RING = "ring"
FETCH = "fetch"

Step = Callable[..., str]
BLOBS: Mapping[str, Step] = {
    "put": lambda name, source: f"store-{name.partition('/')[0]}",
    "remove": lambda name: f"remove-{name.partition('/')[0]}",
}
MAILER: Mapping[str, Step] = {"send": lambda letter: "mail"}
PDF: Mapping[str, Step] = {"prepare": lambda *given: "prepare", "make_copy": lambda *given: "make-copy"}


class CrashPoint:
    """One step and a phase of it, before or after. The process kills itself there, and leaves a mark."""

    def __init__(self, point: str, mark: Path) -> None:
        self._step, _, self._phase = point.rpartition(":")
        self._mark = mark

    def passing(self, steps: Sequence[str], phase: str) -> None:
        """Say which steps are about to be done, or were. Does not return where one of them is this point."""
        if phase == self._phase and self._step in steps:
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def around_ring(self, ring: Callable[[int], None]) -> Callable[[int], None]:
        """A bell that may be the last thing that is rung."""

        def rung(job_id: int) -> None:
            self.passing((RING,), "before")
            ring(job_id)
            self.passing((RING,), "after")

        return rung

    def around(self, ctx: Context) -> Context:
        """The same world, with the point before and after each effect outside the database."""

        def fetcher(source: Source) -> Fetcher:
            found: Any = _Watched(ctx.fetcher(source), self, {"fetch": lambda *given: FETCH})
            return found  # type: ignore[no-any-return]  # it has whatever the fetcher has

        blobs: Any = _Watched(ctx.blobs, self, BLOBS)
        mailer: Any = _Watched(ctx.mailer, self, MAILER)
        pdf: Any = _Watched(ctx.pdf, self, PDF)
        return replace(ctx, blobs=blobs, mailer=mailer, pdf=pdf, fetcher=fetcher)


class _Watched:
    """Something whose effects have names. Everything else of it is as it was."""

    def __init__(self, inner: object, point: CrashPoint, steps: Mapping[str, Step]) -> None:
        self._inner, self._point, self._steps = inner, point, steps

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._inner, name)
        if name not in self._steps:
            return act

        def watched(*given: Any, **named: Any) -> Any:
            step = self._steps[name](*given, **named)
            self._point.passing((step,), "before")
            done = act(*given, **named)
            self._point.passing((step,), "after")
            return done

        return watched


def armed(settings: Settings) -> CrashPoint | None:
    """The first point of the list at which no process of this installation died yet; None where there is none, or no test runs."""
    if not (settings.testing and settings.crash_at):
        return None
    folder = settings.home / MARKS
    folder.mkdir(exist_ok=True)
    for point in settings.crash_at.split(","):
        mark = folder / point
        if not mark.exists():
            return CrashPoint(point, mark)
    return None
