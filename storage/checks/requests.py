"""No request is lost: whoever was told that we look for his article gets an answer."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from delivery.jobs import FETCH, PREPARE
from delivery.lifecycle import State
from delivery.violations import Patience, Repair, Violation
from storage.checks.asking import stream
from storage.models import UNDONE, DeliveryRow, JobRow, RequestRow

BY_MACHINE = or_(
    RequestRow.state.in_([State.FETCHING.value, State.PREPARING.value]),
    and_(RequestRow.state == State.NEW.value, RequestRow.hold == ""),
)
"""Requests that wait for a worker; all others wait for a person or have ended."""


def lost(session: Session, patience: Patience) -> Iterator[Violation]:
    """A request that waits for a worker has a job that is queued or running: both are written in one transaction."""
    served = select(JobRow.payload["request"].as_string()).where(
        JobRow.kind.in_([FETCH, PREPARE]),
        UNDONE,
        JobRow.state.in_(["queued", "running"]),
        JobRow.payload["request"].as_string().is_not(None),
    )
    found = select(RequestRow.number, RequestRow.state).where(BY_MACHINE, RequestRow.number.not_in(served))
    for number, state in stream(session, found):
        yield Violation("request-lost", {"request": number}, f"it is {state} and no job works on it", Repair.REQUEUE)


def overdue(session: Session, patience: Patience) -> Iterator[Violation]:
    """A request that waits for a worker moves within a day."""
    found = select(RequestRow.number, RequestRow.state, RequestRow.changed_at).where(
        BY_MACHINE, RequestRow.changed_at < patience.now - patience.overdue
    )
    for number, state, changed in stream(session, found):
        yield Violation("request-overdue", {"request": number}, f"it is {state} since {changed:%Y-%m-%d %H:%M}")


def supplied_without_copy(session: Session, patience: Patience) -> Iterator[Violation]:
    """A supplied request, or one whose link ran out, has its copy's row."""
    found = (
        select(RequestRow.number, RequestRow.delivery)
        .outerjoin(DeliveryRow, DeliveryRow.number == RequestRow.delivery)
        .where(
            RequestRow.state.in_([State.SUPPLIED.value, State.EXPIRED.value]),
            or_(DeliveryRow.number.is_(None), DeliveryRow.request != RequestRow.number),
        )
    )
    for number, delivery in stream(session, found):
        yield Violation("supplied-without-copy", {"request": number}, f"its copy {delivery or '(none)'} is not there")
