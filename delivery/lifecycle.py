"""The whole lifecycle of a document request as one table of moves."""

from __future__ import annotations

from enum import StrEnum

from delivery.errors import Conflict


class State(StrEnum):
    """Where a request stands."""

    NEW = "new"
    AT_DESK = "at_desk"
    FETCHING = "fetching"
    PREPARING = "preparing"
    SUPPLIED = "supplied"
    UNFILLED = "unfilled"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Action(StrEnum):
    """What can be done to a request. People and workers perform actions; nobody sets a state."""

    LOOK = "look"
    APPROVE = "approve"
    HOLD = "hold"
    FIND = "find"
    GIVE_TO_DESK = "give_to_desk"
    UPLOAD = "upload"
    TRY_NEXT = "try_next"
    SUPPLY = "supply"
    REPLACE = "replace"
    LEAVE_UNFILLED = "leave_unfilled"
    REFUSE = "refuse"
    CANCEL = "cancel"
    EXPIRE = "expire"


MOVES: dict[tuple[State, Action], State] = {
    (State.NEW, Action.LOOK): State.FETCHING,
    (State.NEW, Action.APPROVE): State.NEW,
    (State.NEW, Action.REFUSE): State.REFUSED,
    (State.NEW, Action.CANCEL): State.CANCELLED,
    (State.FETCHING, Action.FIND): State.PREPARING,
    (State.FETCHING, Action.GIVE_TO_DESK): State.AT_DESK,
    (State.FETCHING, Action.HOLD): State.NEW,
    (State.FETCHING, Action.REFUSE): State.REFUSED,
    (State.FETCHING, Action.CANCEL): State.CANCELLED,
    (State.AT_DESK, Action.LOOK): State.FETCHING,
    (State.AT_DESK, Action.UPLOAD): State.PREPARING,
    (State.AT_DESK, Action.LEAVE_UNFILLED): State.UNFILLED,
    (State.AT_DESK, Action.HOLD): State.NEW,
    (State.AT_DESK, Action.REFUSE): State.REFUSED,
    (State.AT_DESK, Action.CANCEL): State.CANCELLED,
    (State.PREPARING, Action.SUPPLY): State.SUPPLIED,
    (State.PREPARING, Action.TRY_NEXT): State.FETCHING,
    (State.PREPARING, Action.GIVE_TO_DESK): State.AT_DESK,
    (State.PREPARING, Action.HOLD): State.NEW,
    (State.PREPARING, Action.REFUSE): State.REFUSED,
    (State.PREPARING, Action.CANCEL): State.CANCELLED,
    (State.SUPPLIED, Action.REPLACE): State.AT_DESK,
    (State.SUPPLIED, Action.EXPIRE): State.EXPIRED,
}

CLOSED = frozenset({State.UNFILLED, State.REFUSED, State.CANCELLED, State.EXPIRED})
"""States that never move again."""

OPEN = frozenset(State) - CLOSED - {State.SUPPLIED}
"""States in which somebody still waits for an answer."""


def move(state: State, action: Action) -> State:
    """The state after ``action``; Conflict where the table has no such move."""
    try:
        return MOVES[state, action]
    except KeyError:
        raise Conflict("illegal-move", f"A request that is {state} cannot {action}.") from None


def may(state: State, action: Action) -> bool:
    """Whether the table has this move."""
    return (state, action) in MOVES
