"""Rows of the log as the log's form wants them, whichever database they stand in."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from drm.audit.kept import Row, column_time, leaves_of
from storage.models import EventRow

COLUMNS = ("seq", "leaf", "chain", "at", "kind", "actor", "library_id", "request", "delivery", "agreements")
"""The columns of a row, in the sequence of the log's form."""
ROWS = {
    "sqlite": text(
        "SELECT seq, leaf, chain, at, kind, actor, library_id, request, delivery, agreements FROM audit_events "
        "WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :most"
    ),
    "postgresql": text(
        "SELECT seq, leaf, chain, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), kind, actor, library_id, "
        "request, delivery, agreements FROM audit_events "
        "WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :most"
    ),
}
"""The statement by kind of database. SQLite has times as the log's form wants them already."""
AS_BYTES = text(
    "SELECT seq, CAST(leaf AS BLOB), CAST(chain AS BLOB), CAST(at AS BLOB), CAST(kind AS BLOB), CAST(actor AS BLOB), "
    "CAST(library_id AS BLOB), CAST(request AS BLOB), CAST(delivery AS BLOB), CAST(agreements AS BLOB) FROM audit_events "
    "WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :most"
)
EVER = 2**62
"""No log has so many events."""


def rows_of(session: Session, after: int, until: int | None, most: int) -> list[Row]:
    """The rows of the events behind ``after`` up to ``until``, ``most`` of them, in sequence."""
    wanted = {"after": after, "until": EVER if until is None else until, "most": most}
    try:
        return _fetched(session, ROWS[session.get_bind().dialect.name], wanted)
    except sqlite3.OperationalError as problem:
        # Of text that is no UTF-8 the driver of SQLite gives nothing, and the check of the log must name the event.
        if "decode" not in str(problem):
            raise
        return [_read(row) for row in _fetched(session, AS_BYTES, wanted)]


def _fetched(session: Session, statement: TextClause, wanted: dict[str, int]) -> list[Row]:
    result = session.execute(statement, wanted)
    try:
        # The driver's own tuples: a row object for each of millions of events would take as long as checking them.
        found: list[Row] = result.cursor.fetchall()  # type: ignore[attr-defined]  # what a SELECT gives has it
        return found
    finally:
        result.close()


def _read(row: Sequence[Any]) -> Row:
    seq, kept, chain, *texts = row
    return (seq, kept, chain, *(text.decode("utf-8", "replace") for text in texts))


def leaf_of(event: EventRow) -> bytes:
    """The bytes of one event; none where its row was tampered with."""
    own = (event.kind, event.actor, event.library_id, event.request, event.delivery, event.agreements)
    return leaves_of([(event.seq, event.kept, event.chain, column_time(event.at), *own)])[0]
