"""The table of moves: every state can be reached, a closed one never moves, and nothing else is possible."""

from __future__ import annotations

import pytest

from delivery.errors import Conflict
from delivery.lifecycle import CLOSED, MOVES, OPEN, Action, State, may, move


def test_every_state_can_be_reached_from_new() -> None:
    reached, waiting = {State.NEW}, [State.NEW]
    while waiting:
        here = waiting.pop()
        for (state, _), target in MOVES.items():
            if state is here and target not in reached:
                reached.add(target)
                waiting.append(target)

    assert reached == set(State)


@pytest.mark.parametrize("state", sorted(CLOSED))
@pytest.mark.parametrize("action", sorted(Action))
def test_a_closed_request_never_moves(state: State, action: Action) -> None:
    assert not may(state, action)
    with pytest.raises(Conflict):
        move(state, action)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_request_can_come_to_an_end(state: State) -> None:
    reached, waiting = {state}, [state]
    while waiting:
        here = waiting.pop()
        for (one, _), target in MOVES.items():
            if one is here and target not in reached:
                reached.add(target)
                waiting.append(target)

    assert reached & CLOSED


def test_every_action_is_somebodys_way_to_move() -> None:
    assert {action for _, action in MOVES} == set(Action)


def test_open_supplied_and_closed_are_all_states_and_none_is_two() -> None:
    assert OPEN | CLOSED | {State.SUPPLIED} == set(State)
    assert not OPEN & CLOSED
