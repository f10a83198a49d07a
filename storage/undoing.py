"""What a JSON object was before, said by what is otherwise in the one after it: few bytes where little changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

Object = Mapping[str, Any]


def undo(after: Object, before: Object) -> dict[str, Any]:
    """What makes ``before`` of ``after``: values to put, objects to undo likewise, keys that were not there. Empty where both are equal."""
    put: dict[str, Any] = {}
    within: dict[str, Any] = {}
    for key, value in before.items():
        now = after.get(key)
        if key in after and isinstance(value, Mapping) and isinstance(now, Mapping):
            if inner := undo(now, value):
                within[key] = inner
        elif key not in after or _written(now) != _written(value):
            put[key] = value
    gone = [key for key in after if key not in before]
    return {name: part for name, part in (("put", put), ("in", within), ("gone", gone)) if part}


def _written(value: Any) -> str:
    """A value as its text: 1, 1.0 and true are equal in Python, and not in what is kept."""
    return json.dumps(value, sort_keys=True)


def undone(after: Object, change: Object) -> dict[str, Any]:
    """The object before, of the one after and what ``undo`` said. The sequence of keys is not promised."""
    gone, within = change.get("gone", ()), change.get("in", {})
    kept = {
        key: undone(value, within[key]) if key in within else value for key, value in after.items() if key not in gone
    }
    return kept | dict(change.get("put", {}))


def states(newest: Object, changes: Sequence[Object | None]) -> Iterator[Object]:
    """The object behind each change, the newest first, and last the one before all of them. ``changes`` are what each undoes, oldest first."""
    yield newest
    for change in reversed(changes):
        newest = undone(newest, change) if change else newest
        yield newest


def rewritten(
    newest: Object, changes: Sequence[Object | None], anew: Callable[[Object], Object]
) -> list[dict[str, Any] | None]:
    """What each change undoes when every state is written anew."""
    old = [anew(state) for state in states(newest, changes)]
    return [undo(after, before) or None for after, before in pairwise(old)][::-1]
