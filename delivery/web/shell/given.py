"""What comes from outside, before any view has it: texts that can be kept, and numbers and days within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from werkzeug.routing import IntegerConverter

from delivery.errors import Unreadable
from delivery.plain_texts import is_text
from delivery.stores import LARGEST

MOST_PAGES = 1_000_000
YEARS = range(1_000, 9_001)
"""Years by which one can reckon some years forth and back."""
NO_FORMS = frozenset({"api", "log"})
"""Blueprints that read the body themselves, whatever kind of content it says it is."""


class _Number(IntegerConverter):
    """A number in an address. A larger one than any thing of ours has is no address of ours."""

    def __init__(self, map: Any, fixed_digits: int = 0, min: int | None = None, max: int | None = LARGEST) -> None:
        super().__init__(map, fixed_digits, min, max)


def guard(app: Flask) -> None:
    """Let nothing into an app that no database takes; to be called before its first route is added."""
    app.url_map.converters["int"] = _Number
    app.before_request(_refuse_odd_texts)


def _refuse_odd_texts() -> None:
    """Unreadable where a text of the address, the query or a form cannot be kept. What is in a file is no text."""
    _check([("address", request.path)])
    # A place in a list has an answer of its own, wherever it was made up.
    _check((name, value) for name, value in request.args.items(multi=True) if name != "from")
    if request.endpoint is not None and request.blueprint not in NO_FORMS:
        _check(request.form.items(multi=True))
        _check((name, file.filename or "") for name, file in request.files.items(multi=True))


def _check(given: Iterable[tuple[str, str]]) -> None:
    for name, value in given:
        if not (is_text(name) and is_text(value)):
            raise Unreadable({name if is_text(name) else "name": "control-characters"})


def page_number() -> int:
    """The page of a list that is asked for, from 1."""
    return within("page", 1, 1, MOST_PAGES)


def within(name: str, otherwise: int, least: int, most: int) -> int:
    """A number of the query, moved to the nearest that is allowed; ``otherwise`` where none can be read."""
    return min(most, max(least, request.args.get(name, otherwise, int)))


def day(text: str) -> datetime:
    """A day that was typed, as its beginning in UTC; ValueError for none, and for one that nothing can be reckoned from."""
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    if at.year not in YEARS:
        raise ValueError("no year of ours")
    return at


def version_of(text: str) -> int | None:
    """The version in a text such as the 2 of open@2: None where there is none, and 0, which no agreement has, where it is too large."""
    if not text.isdecimal():
        return None
    return int(text) if len(text) < len(str(MOST_PAGES)) + 3 else 0
