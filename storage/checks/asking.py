"""How rules read: one statement, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from storage.models import LogHeadRow

PIECE = 1_000


def stream(session: Session, statement: Any) -> Iterator[Any]:
    """The rows of a statement, in pieces: the whole answer is never in memory."""
    yield from session.execute(statement.execution_options(yield_per=PIECE))


def answers(session: Session) -> bool:
    """Whether the database can be asked; raises what it says where it cannot."""
    return session.scalar(select(func.count()).select_from(LogHeadRow)) is not None


def as_text(column: Any) -> ColumnElement[str]:
    """A number as text."""
    return cast(column, String)
