"""How rules read: one statement, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, cast
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

PIECE = 1_000


def stream(session: Session, statement: Any) -> Iterator[Any]:
    """The rows of a statement, in pieces: the whole answer is never in memory."""
    yield from session.execute(statement.execution_options(yield_per=PIECE))


def as_text(column: Any) -> ColumnElement[str]:
    """A number as text."""
    return cast(column, String)
