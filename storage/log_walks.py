"""What a filter of the log asks for, as walks along the indexes of events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from delivery.stores import LogFilter
from storage.models import DayRow, EventRow, ReaderLinkRow, RequestRow
from storage.models.log import BY_NAME, NAMELESS
from storage.walks import Walk, holds


def log_walks(span: Span, wanted: LogFilter) -> list[Walk]:
    """The numbers of the events that fit, which two walks together never name twice; ``span`` is that of the filter."""
    between, at = _within(span, wanted)
    asked = select(EventRow.seq).where(*_plain(wanted), *between, *at)
    if wanted.title:
        asked = asked.join(RequestRow, RequestRow.number == EventRow.request).where(about_title(wanted.title))
    if not wanted.reader_key:
        return [asked]
    acted = asked.where(EventRow.actor == wanted.reader_key)
    about = asked.join(ReaderLinkRow, ReaderLinkRow.request == EventRow.request).where(
        ReaderLinkRow.reader_key == wanted.reader_key, EventRow.actor != wanted.reader_key
    )
    return [acted if wanted.reader_key in NAMELESS else acted.where(BY_NAME), about]


def _plain(wanted: LogFilter) -> list[ColumnElement[bool]]:
    """What the columns of an event alone can tell."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.agreement:
        conditions.append(under(wanted.agreement, wanted.version))
    named = ((EventRow.library_id, wanted.library_id), (EventRow.kind, wanted.kind), (EventRow.request, wanted.request))
    conditions += [column == value for column, value in named if value]
    if wanted.before is not None:
        conditions.append(EventRow.seq < wanted.before)
    return conditions


def under(agreement: str, version: int | None) -> ColumnElement[bool]:
    """Whether an event names an agreement, in any version for None. The column itself is asked: PostgreSQL knows how frequent its texts are."""
    names, name = EventRow.agreements, f"{agreement}@"
    if version is None:
        return or_(names.startswith(name, autoescape=True), names.contains(f" {name}", autoescape=True))
    name = f"{name}{version}"
    return or_(
        names.like(name.replace("/", "//").replace("%", "/%").replace("_", "/_"), escape="/"),
        names.startswith(f"{name} ", autoescape=True),
        names.endswith(f" {name}", autoescape=True),
        names.contains(f" {name} ", autoescape=True),
    )


def about_title(title: str) -> ColumnElement[bool]:
    """Whether a request's title or journal holds these words."""
    return or_(holds(RequestRow.title, title), holds(RequestRow.container, title))


def dated(session: Session, wanted: LogFilter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """Between which numbers the events of the instants asked for lie, and the instants: without an index on times the log is
    walked by numbers."""
    return _within(span_of(session, wanted), wanted)


def _within(span: Span, wanted: LogFilter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    at: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        at.append(EventRow.at >= wanted.since)
    if wanted.until is not None:
        at.append(EventRow.at < wanted.until)
    if not at:
        return [], []
    if span.first is None:
        return [false()], at
    last = span.last
    return [EventRow.seq >= span.first, *([] if last is None else [EventRow.seq <= last])], at


@dataclass(frozen=True)
class Span:
    """Between which numbers all events of some days lie: ``first`` is None where they have none, ``last`` where it is open.

    ``apart`` where none of them is numbered behind an event of a later day.
    """

    first: int | None = 1
    last: int | None = None
    apart: bool = True


def span_of(session: Session, wanted: LogFilter) -> Span:
    """The numbers of the days that the instants asked for lie in.

    What is numbered before the first event of every later day is no later than these days, but for latecomers, which their
    own day remembers.
    """
    if wanted.since is None and wanted.until is None:
        return Span()
    days: list[Any] = [] if wanted.since is None else [DayRow.day >= _day(wanted.since)]
    last_day = None if wanted.until is None else _day(wanted.until - timedelta(microseconds=1))
    if last_day is not None:
        days.append(DayRow.day <= last_day)
    first, late = session.execute(select(func.min(DayRow.first), func.max(DayRow.late)).where(*days)).one()
    if last_day is None:
        return Span(first)
    later = session.scalar(select(func.min(DayRow.first)).where(DayRow.day > last_day))
    return Span(first) if later is None else Span(first, max(later - 1, late or 0), (late or 0) < later)


def count_of_days(session: Session, wanted: LogFilter, span: Span) -> int | None:
    """How many events whole days have, from their numbers alone; None where these cannot tell.

    They cannot where the filter asks for anything but days, and where latecomers of these days stand among the events of
    later ones, or others among theirs.
    """
    since, until = wanted.since, wanted.until
    if wanted != LogFilter(since=since, until=until, limit=wanted.limit, offset=wanted.offset):
        return None
    if not all(at is None or at.astimezone(UTC).time() == time() for at in (since, until)) or not span.apart:
        return None
    if span.first is None:
        return 0
    if since is not None:
        others = select(DayRow.day).where(DayRow.day < _day(since), DayRow.late >= span.first)
        if session.scalar(others.limit(1)) is not None:
            return None
    last = span.last if span.last is not None else session.scalar(select(func.max(EventRow.seq)))
    return (last or 0) - span.first + 1


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
