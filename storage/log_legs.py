"""Searches of the log that go leg by leg, newest first: what no index finds, or what two find only together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from delivery.searching import Leg, Place
from delivery.stores import LogFilter
from storage.log_walks import about_title, dated, under
from storage.models import EventRow, RequestRow
from storage.models.log import NAMELESS
from storage.search_legs import Stop, stop_of
from storage.walks import Walk

Conditions = list[ColumnElement[bool]]


def goes_by_legs(wanted: LogFilter) -> bool:
    """Whether what fits may be rare in a long log. One request's events are few, and so are those by and about one person."""
    if wanted.request or (wanted.reader_key and wanted.reader_key not in NAMELESS):
        return False
    return bool(wanted.title or wanted.agreement or wanted.reader_key or (wanted.library_id and wanted.kind))


def leg_walk(session: Session, wanted: LogFilter, leg: Leg) -> tuple[Walk, Stop | None]:
    """What a search finds along the index that brings this leg furthest, and where the leg ends there."""
    between, at = dated(session, wanted)
    named: list[tuple[Any, str]] = [(EventRow.library_id, wanted.library_id), (EventRow.kind, wanted.kind)]
    given = [(column, value) for column, value in named if value]
    ways: list[tuple[Stop | None, Walk]] = []
    for lead in given or (None,):
        passed = select(EventRow.seq).where(*between)
        if lead is not None:
            passed = passed.where(lead[0] == lead[1])
        # The other filter must not lead: joined to "" its column is no longer what its index holds.
        others: Conditions = [column.concat("") == value for column, value in given if (column, value) != lead]
        stop = stop_of(session, [passed], BySequence(session), leg)
        ways.append((stop, passed.where(*others, *at, *_fitting(wanted))))
    stop, walk = min(ways, key=lambda way: _reached(way[0], leg))
    return walk, stop


def _reached(stop: Stop | None, leg: Leg) -> tuple[bool, int]:
    """The lower the further: with no stop everything is reached."""
    if stop is None:
        return False, 0
    return True, int(stop.last.key) if leg.older else -int(stop.last.key)


def _fitting(wanted: LogFilter) -> Conditions:
    """What is asked of each event that the index brings."""
    conditions: Conditions = []
    if wanted.agreement:
        conditions.append(under(wanted.agreement, wanted.version))
    if wanted.reader_key:
        conditions.append(EventRow.actor == wanted.reader_key)
    if wanted.title:
        # Asked event by event: joined, a planner may begin with all requests whose title fits, however many there are.
        conditions.append(
            select(about_title(wanted.title)).where(RequestRow.number == EventRow.request).scalar_subquery()
        )
    return conditions


class BySequence:
    """The order of the log: by the numbers of its events, the newest first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sorting(self, older: bool) -> tuple[Any, ...]:
        """By number alone."""
        return (EventRow.seq.desc() if older else EventRow.seq,)

    def behind(self, place: Place) -> Conditions:
        """The events with lower numbers."""
        return [EventRow.seq < int(place.key)]

    def before(self, place: Place) -> Conditions:
        """This one and those with higher numbers."""
        return [EventRow.seq >= int(place.key)]

    def place(self, row: Sequence[Any]) -> Place:
        """A walk gives the number alone, which its index holds; the time is looked up for the few rows where a leg ends."""
        at = self._session.scalars(select(EventRow.at).where(EventRow.seq == row[0])).one()
        return Place(at, str(row[0]))
