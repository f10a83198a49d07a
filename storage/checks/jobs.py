"""Leases end, and nothing waits in vain."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from delivery.violations import Patience, Repair, Violation
from storage.checks.asking import stream
from storage.models import UNDONE, JobRow


def stale_leases(session: Session, patience: Patience) -> Iterator[Violation]:
    """A running job has a lease that has not run out long ago: the sweeper of any process gives it on."""
    found = select(JobRow.id, JobRow.key, JobRow.lease_until).where(
        UNDONE,
        JobRow.state == "running",
        or_(JobRow.lease_until.is_(None), JobRow.lease_until < patience.now - patience.lease),
    )
    for job, key, until in stream(session, found):
        told = "it has no lease" if until is None else f"its lease ended at {until:%Y-%m-%d %H:%M}"
        yield Violation("lease-stale", {"job": str(job), "key": key}, told, Repair.FREE_LEASE)


def waiting_too_long(session: Session, patience: Patience) -> Iterator[Violation]:
    """A job that is due is taken within minutes."""
    found = select(JobRow.id, JobRow.key, JobRow.run_after).where(
        UNDONE, JobRow.state == "queued", JobRow.run_after < patience.now - patience.waiting
    )
    for job, key, due in stream(session, found):
        yield Violation(
            "job-waits", {"job": str(job), "key": key}, f"it is due since {due:%Y-%m-%d %H:%M}", Repair.RING
        )


def quarantined(session: Session, patience: Patience) -> Iterator[Violation]:
    """Jobs that were set aside wait for a person. This is told, and is no violation."""
    found = (
        select(JobRow.id, JobRow.key, JobRow.last_error)
        .where(UNDONE, JobRow.state == "quarantined")
        .order_by(JobRow.id)
    )
    for job, key, error in stream(session, found):
        yield Violation("job-set-aside", {"job": str(job), "key": key}, error)
