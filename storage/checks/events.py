"""Every copy, settlement and open has its event in the log, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import LargeBinary, cast, exists, func, or_, select, true
from sqlalchemy.orm import Session

from delivery.violations import Patience, Violation
from storage.checks.asking import stream
from storage.models import DayRow, DeliveryRow, EventRow, LedgerRow, LogHeadRow, RequestRow, UsageRow

AT_ONCE = 500
WITHOUT_EVENT = ("corrected", "rerouted")
"""Reasons of ledger entries that are told by an event of their own kind."""


def _counted(kind: str, by: Any) -> Any:
    return select(by.label("of"), func.count().label("many")).where(EventRow.kind == kind).group_by(by).subquery()


def _as_it_is(session: Session, column: Any) -> Any:
    """A text as bytes on SQLite, whose driver gives nothing of one that is no UTF-8: the event is to be named all the same."""
    return column if session.get_bind().dialect.name == "postgresql" else cast(column, LargeBinary)


def _said(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def copies_and_events(session: Session, patience: Patience) -> Iterator[Violation]:
    """Each copy has exactly one event of its supply."""
    told = _counted("copy:supplied", EventRow.delivery)
    many = func.coalesce(told.c.many, 0)
    found = (
        select(DeliveryRow.number, DeliveryRow.request, many)
        .outerjoin(told, told.c.of == DeliveryRow.number)
        .where(many != 1)
    )
    for number, request, count in stream(session, found):
        yield Violation("copy-without-event", {"delivery": number, "request": request}, f"supplied {count} times")


def created_and_requests(session: Session, patience: Patience) -> Iterator[Violation]:
    """Each request that the log tells of is there, and each that is there the log tells of: nothing removes a request.

    Two differences of sets. One question for each of millions would take longer than all other rules.
    """
    told = select(EventRow.request).where(EventRow.kind == "request:created")
    there = select(RequestRow.number)
    for (number,) in stream(session, told.except_(there)):
        yield Violation("request-vanished", {"request": number}, "the log says that it was asked for")
    for (number,) in stream(session, there.except_(told)):
        yield Violation("request-without-event", {"request": number}, "nothing says that it was asked for")


def events_and_copies(session: Session, patience: Patience) -> Iterator[Violation]:
    """Each event of a supply has its copy."""
    found = (
        select(EventRow.seq, _as_it_is(session, EventRow.delivery), _as_it_is(session, EventRow.request))
        .outerjoin(DeliveryRow, DeliveryRow.number == EventRow.delivery)
        .where(EventRow.kind == "copy:supplied", DeliveryRow.number.is_(None))
    )
    for seq, delivery, request in stream(session, found):
        names = {"delivery": _said(delivery), "request": _said(request)}
        yield Violation("event-without-copy", {"event": str(seq), **names})


def settles_and_events(session: Session, patience: Patience) -> Iterator[Violation]:
    """Each copy of a request was settled with an event, and none beside."""
    told = _counted("quota:settled", EventRow.request)
    made = select(DeliveryRow.request.label("of"), func.count().label("many")).group_by(DeliveryRow.request).subquery()
    events, copies = func.coalesce(told.c.many, 0), func.coalesce(made.c.many, 0)
    found = (
        select(RequestRow.number, events, copies)
        .outerjoin(told, told.c.of == RequestRow.number)
        .outerjoin(made, made.c.of == RequestRow.number)
        .where(events != copies)
    )
    for number, settled, supplied in stream(session, found):
        yield Violation("settle-without-event", {"request": number}, f"{supplied} copies, {settled} events of settling")


def reserves_and_entries(session: Session, patience: Patience) -> Iterator[Violation]:
    """Where an event says that slots were taken the ledger has them."""
    entered = exists().where(UsageRow.request == EventRow.request, LedgerRow.claim == UsageRow.claim)
    request = _as_it_is(session, EventRow.request)
    found = select(EventRow.seq, request).where(EventRow.kind == "quota:reserved", ~entered)
    for seq, request in stream(session, found):
        yield Violation(
            "event-without-entry", {"event": str(seq), "request": _said(request)}, "its slots are not there"
        )


def refunds_and_events(session: Session, patience: Patience) -> Iterator[Violation]:
    """What was given back or released has its event."""
    for kind, event in (("refund", "quota:refunded"), ("release", "quota:released")):
        told = exists().where(EventRow.request == UsageRow.request, EventRow.kind == event)
        found = (
            select(UsageRow.request, LedgerRow.rule)
            .join(UsageRow, UsageRow.claim == LedgerRow.claim)
            .where(LedgerRow.kind == kind, LedgerRow.reason.not_in(WITHOUT_EVENT), ~told)
        )
        for request, rule in stream(session, found):
            yield Violation("refund-without-event", {"request": request, "rule": rule}, f"{kind} without {event}")


def opens_and_events(session: Session, patience: Patience) -> Iterator[Violation]:
    """A copy was opened as often as the log says."""
    told = _counted("window:opened", EventRow.delivery)
    many = func.coalesce(told.c.many, 0)
    found = (
        select(DeliveryRow.number, DeliveryRow.opens_used, many)
        .outerjoin(told, told.c.of == DeliveryRow.number)
        .where(DeliveryRow.opens_used != many)
    )
    for number, opened, events in stream(session, found):
        yield Violation("opens-differ", {"delivery": number}, f"{opened} opens are counted, {events} are in the log")


def head_and_rows(session: Session, patience: Patience) -> Iterator[Violation]:
    """The one row that numbers events ends where the events end, and with the chain value of the last."""
    end = select(func.coalesce(func.max(EventRow.seq), 0).label("last")).subquery("ends")
    found = (
        select(end.c.last, LogHeadRow.id, LogHeadRow.size)
        .select_from(end)
        .outerjoin(LogHeadRow, true())
        .outerjoin(EventRow, EventRow.seq == end.c.last)
        .where(
            or_(
                LogHeadRow.id.is_(None) & (end.c.last > 0),
                LogHeadRow.id != 1,
                LogHeadRow.size != end.c.last,
                LogHeadRow.chain != EventRow.chain,
            )
        )
    )
    for seq, number, size in stream(session, found):
        if number is None:
            told = "there is no head row"
        elif number == 1 and size == seq:
            told = "the head has another chain value than the last event"
        else:
            told = f"the head counts {size} events" if number == 1 else f"there is a head row {number}"
        yield Violation("log-head-differs", {"event": str(seq)}, told)


def days(session: Session, patience: Patience) -> Iterator[Violation]:
    """The days by which lists go are those of the events: each begins with the first event of its own, and none is left out.

    Looked at are the events where a day begins, and the last: a day that is missing stands before the next one's beginning.
    """
    last = session.scalar(select(func.max(EventRow.seq))) or 0
    begins = {first: day for day, first in session.execute(select(DayRow.day, DayRow.first))}
    known = set(begins.values())
    places = sorted({1, last, *begins, *(first - 1 for first in begins)})
    for start in range(0, len(places), AT_ONCE):
        some = select(EventRow.seq, EventRow.at).where(EventRow.seq.in_(places[start : start + AT_ONCE]))
        for seq, at in session.execute(some.order_by(EventRow.seq)):
            day = at.date().isoformat()
            if day not in known:
                yield Violation("log-days-differ", {"event": str(seq)}, f"{day} is not among the days")
            elif begins.get(seq, day) != day or begins.get(seq + 1) == day:
                yield Violation("log-days-differ", {"event": str(seq)}, f"{day} begins elsewhere")
