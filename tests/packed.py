"""Looking into values that are kept packed, as somebody does who has the database in hand."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Table, inspect, select

from storage.models import Base
from storage.models.packing import plain


def teach_plain(database: sqlite3.Connection) -> None:
    """Let statements read a packed column by ``plain(column)``. What they write there may be plain JSON."""
    database.create_function("plain", 1, lambda value: None if value is None else plain(value), deterministic=True)


def taught(connection: Connection) -> Connection:
    """The same for a connection of an engine, where the database is SQLite."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        teach_plain(driver)
    return connection


def all_rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, with what is packed as it reads."""
    return {name: _rows(connection, name) for name in inspect(connection).get_table_names()}


def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    table: Table | None = Base.metadata.tables.get(name)
    if table is None:
        return [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')]
    assert {one["name"] for one in inspect(connection).get_columns(name)} == set(table.columns.keys())
    return [tuple(row) for row in connection.execute(select(table))]
