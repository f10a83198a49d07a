"""Jobs by their numbers, and taking away those that are done."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.lifecycle import State
from delivery.past_jobs import DONE, PastJob
from storage.models import DeliveryRow, JobRow, RequestRow


class SqlPastJobs:
    """Past jobs. They are found by their own key: an index on when they ended would cost each job more than it saves."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def walk(self, after: int, limit: int) -> tuple[PastJob, ...]:
        """The jobs behind a number, with how their requests and copies stand."""
        copy, request = (JobRow.payload[name].as_string() for name in ("delivery", "request"))
        rows = self.session.execute(
            select(JobRow.id, JobRow.state, JobRow.created_at, JobRow.finished_at, RequestRow.state, DeliveryRow.state)
            .outerjoin(DeliveryRow, DeliveryRow.number == copy)
            .outerjoin(RequestRow, RequestRow.number == func.coalesce(request, DeliveryRow.request))
            .where(JobRow.id > after)
            .order_by(JobRow.id)
            .limit(limit)
        )
        return tuple(
            PastJob(number, state, created, ended, State(asked) if asked else None, CopyState(made) if made else None)
            for number, state, created, ended, asked, made in rows
        )

    def remove(self, jobs: Sequence[int]) -> None:
        """Take these away, as far as they are done: nothing brings such a job back."""
        self.session.execute(
            delete(JobRow).where(JobRow.id.in_(jobs), JobRow.state == DONE).execution_options(synchronize_session=False)
        )
