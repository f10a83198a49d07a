"""A leg of a search along the index of a list: the database looks at no more rows than the leg may, however rare the hits are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from delivery.searching import Leg, Place, Reach
from storage.walks import Walk, far_down, rows_of

Conditions = Sequence[ColumnElement[bool]]


class Order(Protocol):
    """The sequence of a list, which its index has too."""

    def sorting(self, older: bool) -> tuple[Any, ...]:
        """What to sort by, away from the newest or towards it."""

    def behind(self, place: Place) -> Conditions:
        """The rows behind a place."""

    def before(self, place: Place) -> Conditions:
        """The rows before it, with the one that it is right behind."""

    def place(self, row: Sequence[Any]) -> Place:
        """The place right behind a row that a walk gave."""


@dataclass(frozen=True)
class Stop:
    """Where a leg has to end: the last row that it may look at, and the one beyond."""

    last: Place
    beyond: Place


def stop_of(session: Session, walks: Sequence[Walk], order: Order, leg: Leg) -> Stop | None:
    """Where this leg ends along these walks, None where nothing is beyond. The walks must ask for what one index holds, and no more."""
    started = [walk.where(*_from(order, leg)) for walk in walks]
    ends = far_down(session, started, order.sorting(leg.older), 2, leg.most - 1)
    return Stop(order.place(ends[0]), order.place(ends[1])) if len(ends) == 2 else None


def found_on(
    session: Session, walks: Sequence[Walk], order: Order, leg: Leg, stop: Stop | None, limit: int
) -> tuple[list[Any], Reach]:
    """The first columns of at most a page of what these walks find before the stop, the newest first, and how far that reached.

    What one leg shows and what the next one shows together leave nothing out and show nothing twice, whichever way they go.
    """
    within = [*_from(order, leg), *_up_to(order, leg, stop)]
    rows = rows_of(session, [walk.where(*within) for walk in walks], order.sorting(leg.older), limit + 1, 0)
    full = len(rows) > limit
    # Away from the newest the next leg begins behind the last row shown; towards it, at the first that is not shown.
    end = order.place(rows[limit - 1 if leg.older else limit]) if full else _end(leg, stop)
    onward = None if end is None else Leg(leg.older, end, leg.step, leg.steps)
    if onward is not None and not full:
        onward = onward.longer()
    back = None if leg.place is None else Leg(not leg.older, leg.place, leg.step, leg.steps)
    newer, older = (back, onward) if leg.older else (onward, back)
    stopped = None if full or stop is None else stop.last.at
    keys = [row[0] for row in rows[:limit]]
    return keys if leg.older else keys[::-1], Reach(leg, newer, older, stopped)


def _from(order: Order, leg: Leg) -> Conditions:
    """Where a leg begins."""
    if leg.place is None:
        return ()
    return order.behind(leg.place) if leg.older else order.before(leg.place)


def _up_to(order: Order, leg: Leg, stop: Stop | None) -> Conditions:
    """Where it ends."""
    if stop is None:
        return ()
    return order.before(stop.last) if leg.older else order.behind(stop.beyond)


def _end(leg: Leg, stop: Stop | None) -> Place | None:
    if stop is None:
        return None
    return stop.last if leg.older else stop.beyond
