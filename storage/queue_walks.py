"""What a filter of the queue asks for, as walks along the indexes of requests: a counted list, or a search that goes leg by leg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from delivery.document_request import QueueFilter
from delivery.lifecycle import OPEN, State
from delivery.searching import Place
from storage.models import RequestRow
from storage.models.requests import WAITING
from storage.walks import Walk, holds

SHOWN: Mapping[str, tuple[State, ...]] = {
    "open": tuple(sorted(OPEN)),
    "desk": (State.AT_DESK,),
    "mine": (State.AT_DESK,),
    "approval": (State.NEW,),
    "supplied": (State.SUPPLIED, State.EXPIRED),
    "closed": (State.UNFILLED, State.REFUSED, State.CANCELLED),
    "all": tuple(State),
}
"""The states that each view shows."""


def queue_walks(wanted: QueueFilter, more: Sequence[ColumnElement[bool]]) -> tuple[list[Walk], tuple[Any, ...]]:
    """One walk for each state that a view shows, under the filter and these conditions; and the order they have in common."""
    waiting = _waits(wanted)
    when: Any = RequestRow.created_at if waiting else RequestRow.changed_at
    conditions: list[Any] = [*_ours(wanted), *_narrowed(wanted), *([WAITING] if waiting else []), *more]
    return _by_state(wanted, when, conditions), (when if waiting else when.desc(), RequestRow.number)


def goes_by_legs(wanted: QueueFilter) -> bool:
    """Whether what fits may be rare in a long history: what waits is few, and without words and a language everything fits."""
    return not _waits(wanted) and bool(wanted.text.strip() or wanted.language)


def leg_walks(wanted: QueueFilter) -> tuple[list[Walk], list[Walk]]:
    """The walks of a search: what the index has in its order, which is what a leg counts, and of that what fits."""
    passed = _by_state(wanted, RequestRow.changed_at, _ours(wanted))
    fitting = _narrowed(wanted)
    if wanted.text.strip():
        fitting.append(holds(RequestRow.title, wanted.text.strip()))
    return passed, [walk.where(*fitting) for walk in passed]


class NewestFirst:
    """The order of what has ended: by its last change, then by number."""

    def sorting(self, older: bool) -> tuple[Any, ...]:
        """By the index, or by the index read backwards."""
        when, number = RequestRow.changed_at, RequestRow.number
        return (when.desc(), number) if older else (when, number.desc())

    def behind(self, place: Place) -> list[ColumnElement[bool]]:
        """The first condition is for the index, the second for rows of the very same time."""
        when, number = RequestRow.changed_at, RequestRow.number
        return [when <= place.at, or_(when < place.at, number > place.key)]

    def before(self, place: Place) -> list[ColumnElement[bool]]:
        """All that is not behind it."""
        when, number = RequestRow.changed_at, RequestRow.number
        return [when >= place.at, or_(when > place.at, number <= place.key)]

    def place(self, row: Sequence[Any]) -> Place:
        """A walk gives number and time."""
        return Place(row[1], row[0])


def _waits(wanted: QueueFilter) -> bool:
    return OPEN.issuperset(_states(wanted))


def _states(wanted: QueueFilter) -> tuple[State, ...]:
    return SHOWN.get(wanted.view, SHOWN["open"])


def _by_state(wanted: QueueFilter, when: Any, conditions: Sequence[Any]) -> list[Walk]:
    walks = select(RequestRow.number, when).where(*conditions)
    return [walks.where(RequestRow.state == state.value) for state in _states(wanted)]


def _ours(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """Whose requests are looked at. Each index that a list walks has the library first, or is not walked for one."""
    return [RequestRow.library_id == wanted.library_id] if wanted.library_id else []


def _narrowed(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """What a filter asks for beside the view, the library and the words."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.view == "approval":
        conditions.append(RequestRow.hold != "")
    if wanted.assignee_id == "none":
        conditions.append(RequestRow.assignee_id.is_(None))
    elif wanted.assignee_id:
        conditions.append(RequestRow.assignee_id == wanted.assignee_id)
    if wanted.language:
        conditions.append(RequestRow.language == wanted.language)
    return conditions
