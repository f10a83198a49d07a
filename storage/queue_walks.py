"""What a filter of the queue asks for, as walks along the indexes of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from delivery.document_request import QueueFilter
from delivery.lifecycle import OPEN, State
from storage.models import RequestRow
from storage.models.requests import WAITING
from storage.walks import Walk

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
    states = SHOWN.get(wanted.view, SHOWN["open"])
    waiting = OPEN.issuperset(states)
    when: Any = RequestRow.created_at if waiting else RequestRow.changed_at
    conditions: list[Any] = [*_narrowed(wanted), *([WAITING] if waiting else []), *more]
    walks = [select(RequestRow.number, when).where(RequestRow.state == state.value, *conditions) for state in states]
    return walks, (when if waiting else when.desc(), RequestRow.number)


def _narrowed(wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """What a filter asks for beside the view and the words."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.view == "approval":
        conditions.append(RequestRow.hold != "")
    if wanted.library_id:
        conditions.append(RequestRow.library_id == wanted.library_id)
    if wanted.assignee_id == "none":
        conditions.append(RequestRow.assignee_id.is_(None))
    elif wanted.assignee_id:
        conditions.append(RequestRow.assignee_id == wanted.assignee_id)
    if wanted.language:
        conditions.append(RequestRow.language == wanted.language)
    return conditions
