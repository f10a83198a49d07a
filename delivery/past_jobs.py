"""Jobs that were done long ago, and which of them somebody still needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from delivery.copies import CopyState
from delivery.lifecycle import OPEN, State

DONE = "done"


@dataclass(frozen=True)
class PastJob:
    """A job with how those stand whom it names: its request and its copy, None where it names none or that is gone."""

    id: int
    state: str
    created_at: datetime
    finished_at: datetime | None
    request: State | None = None
    copy: CopyState | None = None

    def is_needed(self, since: datetime) -> bool:
        """Whether it stays: all but what came to its end before an instant, for a request that is closed and a copy that has ended.

        What waits, runs, or was given to a person is not done, also after he has answered.
        """
        if self.state != DONE or self.finished_at is None or self.finished_at >= since:
            return True
        return self.request in OPEN or self.copy is CopyState.LIVE


class PastJobs(Protocol):
    """Jobs in the sequence of their numbers, whatever became of them."""

    def walk(self, after: int, limit: int) -> tuple[PastJob, ...]: ...
    def remove(self, jobs: Sequence[int]) -> None: ...
