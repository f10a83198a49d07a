"""Opens the database: SQLite in WAL mode or PostgreSQL, behind one SQLAlchemy engine."""

from __future__ import annotations

from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from storage.bounds import Bounds

__all__ = ["Bounds", "DatabaseFailure", "Engine", "open_engine"]

BUSY_MILLISECONDS = 5_000
DatabaseFailure = SQLAlchemyError
"""Whatever a database can fail with."""


def open_engine(url: str, bounds: Bounds | None = None) -> Engine:
    """An engine for a SQLAlchemy URL. Nothing is connected yet.

    ``bounds`` end what takes too long on PostgreSQL; without them a statement may take as long as it likes, as commands
    that read everything need. SQLite has its own: it waits for another writer, and for nothing else.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000, "check_same_thread": False})
        _teach_sqlite(engine)
        return engine
    from storage.bounded_connection import connector

    engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20, pool_timeout=10)
    event.listen(engine, "do_connect", connector(bounds))
    return engine


def _teach_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _: Any) -> None:
        # The driver's own transactions start deferred, and two of them that both want to write
        # then fail with "database is locked". We begin ourselves, below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"busy_timeout={BUSY_MILLISECONDS}",
            "foreign_keys=ON",
            "synchronous=FULL",  # NORMAL may lose acknowledged commits when the power goes
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("rushlight_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED")
