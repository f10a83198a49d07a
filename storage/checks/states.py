"""States that the service writes, and none that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.jobs import KINDS, MAIL
from delivery.lifecycle import State
from delivery.violations import Patience, Violation
from storage.checks.asking import as_text, stream
from storage.models import UNDONE, DeliveryRow, EventRow, JobRow, RequestRow, UsageRow, WindowRow

LIVE = DeliveryRow.state == CopyState.LIVE.value
HOLDS = ("", "approval", "declaration", "fee")
JOB_STATES = ("queued", "running", "done", "quarantined", "retried", "dismissed")
USES = ("reserved", "filled", "cancelled", "unfilled")
ENDS = ("copy:revoked", "copy:expired", "request:replaced")
"""Events after which a copy is never live again."""
LONGEST_WINDOW = timedelta(minutes=1_440)
"""No setting ever let a window be open for longer."""


def unknown_states(session: Session, patience: Patience) -> Iterator[Violation]:
    """Requests, copies, jobs and what counts are in a state that somebody works on, or that is an end."""
    requests, copies = ([str(one.value) for one in states] for states in (State, CopyState))
    waits = RequestRow.state == State.NEW.value
    for kind, key, column, odd in (
        ("request", RequestRow.number, RequestRow.state, RequestRow.state.not_in(requests)),
        ("request", RequestRow.number, RequestRow.hold, and_(waits, RequestRow.hold.not_in(HOLDS))),
        ("delivery", DeliveryRow.number, DeliveryRow.state, DeliveryRow.state.not_in(copies)),
        ("job", as_text(JobRow.id), JobRow.state, and_(UNDONE, JobRow.state.not_in(JOB_STATES))),
        ("job", as_text(JobRow.id), JobRow.kind, and_(UNDONE, JobRow.kind.not_in(KINDS))),
        ("claim", UsageRow.claim, UsageRow.status, UsageRow.status.not_in(USES)),
    ):
        found: Any = select(key, column).where(odd)
        for one, state in stream(session, found):
            yield Violation("state-unknown", {kind: one}, f"its {column.key} is {state!r}")


def live_and_not_supplied(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy is the present one of a supplied request: what is replaced or withdrawn is not live."""
    found = (
        select(DeliveryRow.number, DeliveryRow.request, RequestRow.state, RequestRow.delivery)
        .outerjoin(RequestRow, RequestRow.number == DeliveryRow.request)
        .where(
            LIVE,
            or_(
                RequestRow.number.is_(None),
                RequestRow.state != State.SUPPLIED.value,
                RequestRow.delivery != DeliveryRow.number,
            ),
        )
    )
    for number, request, state, present in stream(session, found):
        told = f"its request is {state or 'not there'} with the copy {present or '(none)'}"
        yield Violation("live-not-supplied", {"delivery": number, "request": request}, told)


def live_and_ended(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy has no end, neither in its row nor in the log."""
    told = exists().where(
        EventRow.request == DeliveryRow.request, EventRow.delivery == DeliveryRow.number, EventRow.kind.in_(ENDS)
    )
    found = select(DeliveryRow.number, DeliveryRow.ended_at).where(LIVE, or_(DeliveryRow.ended_at.is_not(None), told))
    for number, ended in stream(session, found):
        said = "the log says that it ended" if ended is None else f"it ended at {ended:%Y-%m-%d %H:%M}"
        yield Violation("live-after-end", {"delivery": number}, said)


def odd_parts(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy is a whole file, or the beginning of a prepared document and a tail."""
    shared, named = DeliveryRow.base_bytes.is_not(None), DeliveryRow.blob != ""
    found = select(DeliveryRow.number).where(
        LIVE,
        or_(
            and_(~shared, ~named),
            and_(shared, DeliveryRow.master == ""),
            and_(shared, DeliveryRow.bytes <= DeliveryRow.base_bytes),
        ),
    )
    for (number,) in stream(session, found):
        yield Violation("copy-parts-differ", {"delivery": number}, "its row does not say what it is put together of")


def windows_and_opens(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy has a window for each open. Those of copies that ended long ago are taken away."""
    kept = select(func.count()).where(WindowRow.delivery == DeliveryRow.number).scalar_subquery()
    found = select(DeliveryRow.number, DeliveryRow.opens_used, kept).where(LIVE, DeliveryRow.opens_used != kept)
    for number, opens, windows in stream(session, found):
        yield Violation(
            "windows-differ", {"delivery": number}, f"{opens} opens are counted, {windows} windows are kept"
        )


def endless_windows(session: Session, patience: Patience) -> Iterator[Violation]:
    """No window is open for longer than any setting permits."""
    found = select(WindowRow.delivery, WindowRow.opened_at, WindowRow.ends_at).where(
        WindowRow.ends_at > patience.now + LONGEST_WINDOW
    )
    for number, opened, ends in stream(session, found):
        if ends - opened > LONGEST_WINDOW:
            yield Violation("window-too-long", {"delivery": number}, f"it ends at {ends:%Y-%m-%d %H:%M}")


def mails_and_events(session: Session, patience: Patience) -> Iterator[Violation]:
    """Of a live copy: where the job that mails its link is done, the log says that the mail was sent."""
    told = exists().where(
        EventRow.request == DeliveryRow.request, EventRow.delivery == DeliveryRow.number, EventRow.kind == "mail:sent"
    )
    found = (
        select(DeliveryRow.number, DeliveryRow.request)
        .join(JobRow, JobRow.key == "mail:delivered:" + DeliveryRow.number)
        .where(LIVE, JobRow.kind == MAIL, JobRow.state == "done", ~told)
    )
    for number, request in stream(session, found):
        yield Violation("mail-without-event", {"delivery": number, "request": request}, "its job is done")
