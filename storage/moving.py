"""All rows of an installation as lines of text, and back: the same lines from SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, LargeBinary, MetaData, String, Table, func, select, text
from sqlalchemy.types import JSON

from storage.models import Base
from storage.models.columns import KeyText, UtcTime
from storage.reader_secrets import SecretBase

__all__ = ["DATA", "SECRETS", "Connection", "MetaData", "lines", "snapshot", "writing"]

PIECE = 1_000
DATA: MetaData = Base.metadata
SECRETS: MetaData = SecretBase.metadata
HEAD = "audit_head"
"""The table of the one row that numbers events."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment for as long as it lasts."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection whose changes stand when the context is left normally, and else not at all."""
    with engine.execution_options(rushlight_write=True).begin() as connection:
        yield connection


def tables(metadata: MetaData) -> tuple[str, ...]:
    """The names of all tables, those that others refer to first. What triggers derive from others is no matter of moving."""
    return tuple(table.name for table in metadata.sorted_tables if not table.info.get("derived"))


def lines(connection: Connection, metadata: MetaData, name: str) -> Iterator[bytes]:
    """Every row of a table as one line of JSON, sorted by its key: as bytes, whatever the database's language."""
    table = metadata.tables[name]
    wanted = select(table).order_by(*(_sortable(connection, column) for column in table.primary_key))
    for row in connection.execute(wanted.execution_options(yield_per=PIECE)):
        cells = [_text(column, value) for column, value in zip(table.columns, row, strict=True)]
        yield json.dumps(cells, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def columns(metadata: MetaData, name: str) -> tuple[str, ...]:
    """The names of a table's columns, as they stand in its lines."""
    return tuple(column.name for column in metadata.tables[name].columns)


def insert_lines(connection: Connection, metadata: MetaData, name: str, found: Iterable[bytes]) -> int:
    """Put lines back as rows; how many."""
    table, written, rest = metadata.tables[name], 0, iter(found)
    while piece := list(islice(rest, PIECE)):
        rows = [_row(table, line) for line in piece]
        connection.execute(table.insert(), rows)
        written += len(rows)
    return written


def filled(connection: Connection, metadata: MetaData) -> tuple[str, ...]:
    """The tables that hold any row. The head of a log without events is none: every new installation has it."""
    found = tuple(
        name for name in tables(metadata) if connection.execute(select(metadata.tables[name]).limit(1)).first()
    )
    return tuple(name for name in found if name != HEAD or _has_events(connection))


def _has_events(connection: Connection) -> bool:
    return bool(connection.scalar(select(func.max(DATA.tables[HEAD].c.size))))


def clear_head(connection: Connection) -> None:
    """Take away the head of a log without events, so that another may come in."""
    head = DATA.tables[HEAD]
    connection.execute(head.delete().where(head.c.size == 0))


def keys_of(connection: Connection, metadata: MetaData, name: str) -> frozenset[str]:
    """The keys of a table whose key is one text."""
    (key,) = metadata.tables[name].primary_key
    return frozenset(connection.scalars(select(key)))


def continue_numbering(connection: Connection, metadata: MetaData) -> None:
    """Let numbers that the database gives out go on after the highest that came in (SQLite does so by itself)."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        highest = connection.scalar(select(func.max(column)))
        if highest is not None:
            asked = text("SELECT setval(pg_get_serial_sequence(:one, :other), :highest)")
            connection.execute(asked, {"one": table.name, "other": column.name, "highest": highest})


def make_secret_tables(engine: Engine) -> None:
    """Make the table of the readers' secrets where it is missing."""
    with writing(engine) as connection:
        SECRETS.create_all(connection)


def _sortable(connection: Connection, column: Any) -> Any:
    is_text = isinstance(column.type, String | KeyText) and connection.dialect.name == "postgresql"
    return column.collate("C") if is_text else column


def _text(column: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value


def _row(table: Table, line: bytes) -> dict[str, Any]:
    cells = json.loads(line)
    return {column.name: _value(column.type, cell) for column, cell in zip(table.columns, cells, strict=True)}


def _value(kind: Any, cell: Any) -> Any:
    if cell is None or isinstance(kind, JSON):
        return cell
    if isinstance(kind, UtcTime):
        return datetime.fromisoformat(cell)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(cell)
    return cell
