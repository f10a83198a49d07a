"""Durable jobs with leases in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from delivery.jobs import LEASE, SUSPECT_DEATHS, Job, NewJob, SetAside
from delivery.stores import Line
from storage.holders import is_gone, this_process
from storage.models import UNDONE, JobRow

NOT_DONE = ("queued", "running", "quarantined")


class SqlOutbox:
    """Jobs. ``added`` lists the ids written in this transaction, so that the bell rings after the commit; ``steps`` what was done to jobs."""

    def __init__(self, session: Session, leases: Mapping[str, timedelta] = LEASE) -> None:
        self.session = session
        self._leases = leases
        self.added: list[int] = []
        self.steps: list[str] = []

    def add(self, job: NewJob, now: datetime) -> int:
        """Write a job and return its id. A job with the same key stands already: that one is returned."""
        return self.add_all((job,), now)[0]

    def add_all(self, jobs: Sequence[NewJob], now: datetime) -> list[int]:
        """The same with several jobs, by one statement; their ids in this sequence."""
        values: dict[str, Any] = {"now": now}
        for place, job in enumerate(jobs):
            given = {"kind": job.kind, "key": job.key, "payload": dict(job.payload), "due": job.run_after or now}
            values |= {f"new_{name}_{place}": value for name, value in given.items()}
        # What is returned tells, not the count of rows: PostgreSQL's driver gives none for such a statement.
        written = self.session.execute(_adding(self.session.get_bind().dialect.name, len(jobs)), values)
        ids = {key: job_id for job_id, key in written}
        for job in jobs:
            if job.key in ids and not job.follows and (job.run_after is None or job.run_after <= now):
                self.added.append(ids[job.key])
        if missing := [job.key for job in jobs if job.key not in ids]:
            known = select(JobRow.key, JobRow.id).where(JobRow.key.in_(missing))
            ids.update((row.key, row.id) for row in self.session.execute(known))
        return [ids[job.key] for job in jobs]

    def due(self, now: datetime, limit: int) -> tuple[int, ...]:
        """Ids of jobs that wait and are due, or whose worker has been silent for longer than its lease."""
        rows = self.session.scalars(
            select(JobRow.id).where(_claimable(now)).order_by(JobRow.run_after, JobRow.id).limit(limit)
        )
        return tuple(rows)

    def claim(self, job_id: int, now: datetime) -> Job | None:
        """Take a job; None when somebody else has it, or it is not due."""
        job = self._take_waiting(job_id, now) or self._take_over(job_id, now)
        if job is not None:
            self.steps.append(f"{job.kind}-claimed")
        return job

    def _take_waiting(self, job_id: int, now: datetime) -> Job | None:
        """Take a job that nobody has, which is nearly every one, by one statement."""
        statement = (
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.state == "queued", JobRow.run_after <= now)
            .values(**_taken(now, self._leases))
            .returning(JobRow.kind, JobRow.key, JobRow.payload, JobRow.attempt)
            .execution_options(synchronize_session=False)
        )
        taken = self.session.execute(statement).one_or_none()
        return None if taken is None else self._job(job_id, taken.kind, taken.key, taken.payload, taken.attempt)

    def _take_over(self, job_id: int, now: datetime) -> Job | None:
        """Take a job whose worker has been silent for longer than its lease."""
        row = self.session.get(JobRow, job_id)
        if row is None:
            return None
        # Of a suspect only the ends of workers count that had nothing else in hand: those that ``begin_alone`` has counted.
        deaths = max(row.deaths, min(row.deaths + 1, SUSPECT_DEATHS)) if row.state == "running" else 0
        statement = (
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.attempt == row.attempt, _claimable(now))
            .values(
                state="running",
                attempt=row.attempt + 1,
                holder=this_process(),
                deaths=deaths,
                lease_until=now + self._leases[row.kind],
            )
            .execution_options(synchronize_session=False)
        )
        if self._changed(statement) != 1:
            return None
        return self._job(job_id, row.kind, row.key, row.payload, row.attempt + 1, deaths)

    def _job(self, job_id: int, kind: str, key: str, payload: Mapping[str, str], attempt: int, deaths: int = 0) -> Job:
        return Job(job_id, kind, key, payload, attempt, deaths, self._leases[kind])

    def free_gone(self, now: datetime) -> int:
        """Let jobs be taken whose worker is certainly dead, without waiting for their leases; how many they were."""
        held = select(JobRow.holder).where(JobRow.state == "running", JobRow.lease_until >= now).distinct()
        dead = [holder for holder in self.session.scalars(held) if is_gone(holder)]
        if not dead:
            return 0
        statement = (
            update(JobRow)
            .where(UNDONE, JobRow.state == "running", JobRow.holder.in_(dead))
            .values(lease_until=now - timedelta(seconds=1))
            .execution_options(synchronize_session=False)
        )
        return self._changed(statement)

    def free_stale(self, job_id: int, now: datetime, before: datetime) -> bool:
        """Let one job be taken whose lease ended before an instant, or that has none; False where that is not so."""
        statement = (
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.state == "running")
            .where(or_(JobRow.lease_until.is_(None), JobRow.lease_until < before))
            .values(lease_until=now - timedelta(seconds=1), holder="")
            .execution_options(synchronize_session=False)
        )
        return self._changed(statement) == 1

    def begin_alone(self, job: Job, now: datetime) -> bool:
        """Count that a suspect begins with nothing else in its process, and prolong the lease; False when the job was taken over."""
        return self._change(job, deaths=job.deaths + 1, lease_until=now + job.lease)

    def renew(self, job: Job, now: datetime) -> bool:
        """Prolong the lease; False when the job was taken over."""
        self.steps.append(f"{job.kind}-renewed")
        return self._change(job, lease_until=now + job.lease)

    def finish(self, job: Job, now: datetime) -> bool:
        """Mark the job done; False when it was taken over."""
        self.steps.append(f"{job.kind}-finished")
        return self._change(job, state="done", finished_at=now, lease_until=None, last_error="")

    def go_on(self, job: Job, following: int, now: datetime) -> Job | None:
        """Mark the job done and take the one that follows from it, by one statement.

        None where somebody else has that one already, or it is not due. Each of the two compares and swaps for itself.
        """
        ours = JobRow.id == job.id
        done = {"state": "done", "finished_at": now, "lease_until": None, "last_error": ""}
        taken = _taken(now, self._leases)
        statement = (
            update(JobRow)
            .where(
                or_(
                    and_(ours, JobRow.attempt == job.attempt, JobRow.state == "running"),
                    and_(JobRow.id == following, JobRow.state == "queued", JobRow.run_after <= now),
                )
            )
            .values(
                **{
                    name: case(
                        (ours, done.get(name, getattr(JobRow, name))), else_=taken.get(name, getattr(JobRow, name))
                    )
                    for name in {**done, **taken}
                }
            )
            .returning(JobRow.id, JobRow.kind, JobRow.key, JobRow.payload, JobRow.attempt)
            .execution_options(synchronize_session=False)
        )
        changed = self.session.execute(statement).all()
        self.steps.append(f"{job.kind}-finished")
        found = [
            self._job(row.id, row.kind, row.key, row.payload, row.attempt) for row in changed if row.id == following
        ]
        self.steps += [f"{one.kind}-claimed" for one in found]
        return found[0] if found else None

    def retry(self, job: Job, at: datetime, error: str) -> bool:
        """Put the job back for another attempt at an instant."""
        return self._change(job, state="queued", run_after=at, lease_until=None, last_error=error[:500])

    def set_aside(self, job: Job, now: datetime, error: str) -> bool:
        """Stop trying: a person must look."""
        return self._change(job, state="quarantined", finished_at=now, lease_until=None, last_error=error[:500])

    def lines(self, now: datetime) -> tuple[Line, ...]:
        """The jobs that are not done by kind and state, with how long the oldest has been due. What is done is not looked at."""
        rows = self.session.execute(
            select(JobRow.kind, JobRow.state, func.count(), func.min(JobRow.run_after))
            .where(UNDONE, JobRow.state.in_(NOT_DONE))
            .group_by(JobRow.kind, JobRow.state)
        )
        return tuple(Line(state, count, max(now - since, timedelta()), kind) for kind, state, count, since in rows)

    def set_aside_jobs(self) -> tuple[SetAside, ...]:
        """Jobs that wait for a person, oldest first."""
        rows = self.session.scalars(select(JobRow).where(UNDONE, JobRow.state == "quarantined").order_by(JobRow.id))
        return tuple(
            SetAside(row.id, row.kind, row.key, row.payload, row.attempt, row.last_error, row.finished_at)
            for row in rows
        )

    def close_set_aside(self, job_id: int, state: str, now: datetime) -> SetAside | None:
        """Take a job out of quarantine: it was retried or dismissed, and stays on record. None when it is not there."""
        row = self.session.get(JobRow, job_id, with_for_update=True, populate_existing=True)
        if row is None or row.state != "quarantined":
            return None
        found = SetAside(row.id, row.kind, row.key, row.payload, row.attempt, row.last_error, row.finished_at)
        row.state, row.finished_at = state, now
        self.session.flush()
        return found

    def _change(self, job: Job, **values: Any) -> bool:
        statement = (
            update(JobRow)
            .where(JobRow.id == job.id, JobRow.attempt == job.attempt, JobRow.state == "running")
            .values(**values)
            .execution_options(synchronize_session=False)
        )
        return self._changed(statement) == 1

    def _changed(self, statement: Any) -> int:
        result = self.session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount


@cache
def _adding(dialect: str, count: int) -> ReturningInsert[int, str]:
    """The statement that writes so many jobs, which is made once: building it takes longer than running it."""
    own = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = [
        {
            "kind": bindparam(f"new_kind_{place}", type_=JobRow.kind.type),
            "key": bindparam(f"new_key_{place}", type_=JobRow.key.type),
            "payload": bindparam(f"new_payload_{place}", type_=JobRow.payload.type),
            "state": "queued",
            "attempt": 0,
            "deaths": 0,
            "holder": "",
            "last_error": "",
            "run_after": bindparam(f"new_due_{place}", type_=JobRow.run_after.type),
            "created_at": bindparam("now", type_=JobRow.created_at.type),
        }
        for place in range(count)
    ]
    written = own(cast(Table, JobRow.__table__)).values(rows[0] if count == 1 else rows)
    return written.on_conflict_do_nothing(index_elements=["key"]).returning(JobRow.id, JobRow.key)


def _taken(now: datetime, lengths: Mapping[str, timedelta]) -> dict[str, Any]:
    """What becomes of a waiting job that this process takes."""
    leases = case({kind: now + lease for kind, lease in lengths.items()}, value=JobRow.kind)
    return {
        "state": "running",
        "attempt": JobRow.attempt + 1,
        "deaths": 0,
        "holder": this_process(),
        "lease_until": leases,
    }


def _claimable(now: datetime) -> Any:
    return or_(
        and_(UNDONE, JobRow.state == "queued", JobRow.run_after <= now),
        and_(JobRow.state == "running", JobRow.lease_until < now),
    )
