"""Processor time, told honestly: of this process, of every child that it reaped, and of the nursery's children."""

from __future__ import annotations

import gc
import json
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

from benchmarks.pdf_engine.nursery import Nursery
from benchmarks.pdf_engine.sandboxes import sandboxed_by

Work = Callable[[], object]


class Clock:
    """Counts processor seconds, user and system, of everything that works for the benchmark."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery

    def spent(self) -> float:
        """Processor seconds so far. The kernel counts them to the microsecond (getrusage(2)), whatever else runs."""
        total = self.nursery.seconds
        for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            used = resource.getrusage(whose)
            total += used.ru_utime + used.ru_stime
        return total

    def cost(self, work: Work, times: int = 1) -> float:
        """What one run of ``work`` takes, over so many runs. The garbage of others is collected before, on no account."""
        gc.collect()
        start = self.spent()
        for _ in range(times):
            work()
        return (self.spent() - start) / times

    def by_turns(self, works: Mapping[str, Work], rounds: int, times: int | Mapping[str, int] = 1) -> dict[str, float]:
        """The median cost of each work. All run in each round, and each round begins with another, so that whatever else
        the machine does falls on all of them alike. ``times`` may name some works alone; the others then run once."""
        names = list(works)
        taken: dict[str, list[float]] = {name: [] for name in names}
        for turn in range(rounds):
            shift = turn % len(names)
            for name in names[shift:] + names[:shift]:
                taken[name].append(self.cost(works[name], times if isinstance(times, int) else times.get(name, 1)))
        return {name: median(values) for name, values in taken.items()}

    @contextmanager
    def counted_sandbox(self) -> Iterator[None]:
        """Within it, whatever the engine runs in its sandbox runs in the nursery's children and is counted."""
        from drm.pdf import sandbox_tasks

        def run(task: str, arguments: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, Any]:
            answer = self.nursery.run(sandbox_tasks.perform, task, arguments, limits)
            return dict(json.loads(json.dumps(answer)))  # as across the sandbox's pipe

        with sandboxed_by(run):
            yield


def each(work: Work, count: int) -> list[float]:
    """The processor seconds of each of ``count`` runs of a short work in this process."""
    taken = []
    for _ in range(count):
        start = time.process_time_ns()
        work()
        taken.append(time.process_time_ns() - start)
    return [one / 1e9 for one in taken]
