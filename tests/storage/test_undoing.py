"""What was before is said by what is otherwise, and comes back whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.undoing import rewritten, states, undo, undone

PLAIN = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0]) | st.text("ab", max_size=2)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


def told(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(OBJECTS, OBJECTS)
def test_the_object_before_comes_back_out_of_the_one_after(after: dict[str, Any], before: dict[str, Any]) -> None:
    assert told(undone(after, json.loads(json.dumps(undo(after, before))))) == told(before)


def test_only_what_is_otherwise_is_said() -> None:
    before = {"request": {"pages": ["1-9"], "copies": 1}, "reader": {"id": None}, "flags": {}}
    after = {"request": {"pages": ["1-9"], "copies": 1, "fill_at": "now"}, "reader": {"id": None}, "flags": {}}

    assert undo(after, before) == {"in": {"request": {"gone": ["fill_at"]}}}
    assert undo(after, after) == {}


@pytest.mark.parametrize(("now", "then"), [(1, True), (1, 1.0), (None, {}), ({}, None), ([], None)])
def test_what_python_takes_for_equal_or_empty_is_told_apart(now: Any, then: Any) -> None:
    assert told(undone({"a": now}, undo({"a": now}, {"a": then}))) == told({"a": then})


@given(st.lists(OBJECTS, min_size=2, max_size=4))
def test_a_whole_past_is_walked_back_and_written_anew(past: list[dict[str, Any]]) -> None:
    *older, newest = past
    changes = [undo(after, before) or None for before, after in zip(older, past[1:], strict=True)]

    anew = rewritten(newest, changes, lambda state: {**state, "a": "hidden"})

    assert [told(one) for one in states(newest, changes)] == [told(one) for one in past[::-1]]
    hidden = states({**newest, "a": "hidden"}, anew)
    assert [told(one) for one in hidden] == [told({**one, "a": "hidden"}) for one in past[::-1]]
