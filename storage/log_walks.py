"""What a filter of the log asks for, as walks along the indexes of events."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from delivery.stores import LogFilter
from storage.models import DayRow, EventRow, ReaderLinkRow, RequestRow
from storage.models.log import BY_NAME, NAMELESS
from storage.walks import Walk, holds


def log_walks(session: Session, wanted: LogFilter) -> list[Walk]:
    """The numbers of the events that fit, which two walks together never name twice."""
    between, at = dated(session, wanted)
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
    if wanted.since is None and wanted.until is None:
        return [], []
    at: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        at.append(EventRow.at >= wanted.since)
    if wanted.until is not None:
        at.append(EventRow.at < wanted.until)
    first, last = _numbers(session, wanted.since, wanted.until)
    if first is None:
        return [false()], at
    return [EventRow.seq >= first, *([] if last is None else [EventRow.seq <= last])], at


def _numbers(session: Session, since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
    """Between which numbers all events of these instants lie; None for the first where there are none, for the last where it is open.

    What is numbered before the first event of every later day is no later than these days, but for latecomers, which their
    own day remembers.
    """
    days: list[Any] = [] if since is None else [DayRow.day >= _day(since)]
    last_day = None if until is None else _day(until - timedelta(microseconds=1))
    if last_day is not None:
        days.append(DayRow.day <= last_day)
    first, late = session.execute(select(func.min(DayRow.first), func.max(DayRow.late)).where(*days)).one()
    if last_day is None:
        return first, None
    later = session.scalar(select(func.min(DayRow.first)).where(DayRow.day > last_day))
    return first, None if later is None else max(later - 1, late or 0)


def count_of_days(session: Session, wanted: LogFilter) -> int | None:
    """How many events whole days have, from their numbers alone; None where these cannot tell.

    They cannot where the filter asks for anything but days, and where an event of these days or of those before them came
    late, among or behind the events of a later day.
    """
    since, until = wanted.since, wanted.until
    if wanted != LogFilter(since=since, until=until, limit=wanted.limit, offset=wanted.offset):
        return None
    if not all(at is None or at.astimezone(UTC).time() == time() for at in (since, until)):
        return None
    start = _began(session, since) if since is not None else 1
    end = _began(session, until) if until is not None else None
    if start is None or (since is not None and until is not None and since >= until):
        return 0
    stray = [] if since is None else [and_(DayRow.day < _day(since), DayRow.late >= start)]
    if end is None:
        end = (session.scalar(select(func.max(EventRow.seq))) or 0) + 1
    elif until is not None:
        stray.append(and_(DayRow.day < _day(until), DayRow.late >= end))
    if stray and session.scalar(select(DayRow.day).where(or_(*stray)).limit(1)) is not None:
        return None
    return end - start


def _began(session: Session, at: datetime) -> int | None:
    """The lowest number of an event of this day or a later one; None where there is none."""
    return session.scalar(select(func.min(DayRow.first)).where(DayRow.day >= _day(at)))


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
