"""Whoever looks for jobs that are not done walks an index that holds no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from delivery.violations import Patience
from storage.checks.jobs import quarantined, stale_leases, waiting_too_long
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.migrating import migrate
from storage.outbox import SqlOutbox

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE = Patience(now=NOW, lease=HOUR, waiting=HOUR, overdue=HOUR, closing=HOUR, window=HOUR, grace=HOUR)
ASKED: tuple[Callable[[Session], object], ...] = (
    lambda session: SqlOutbox(session).due(NOW, 5),
    lambda session: SqlOutbox(session).free_gone(NOW),
    lambda session: SqlOutbox(session).lines(NOW),
    lambda session: SqlOutbox(session).set_aside_jobs(),
    lambda session: list(stale_leases(session, PATIENCE)),
    lambda session: list(waiting_too_long(session, PATIENCE)),
    lambda session: list(quarantined(session, PATIENCE)),
    lambda session: SqlLedger(session).entries("TR-1/1"),
)


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """The steps by which SQLite answers what is asked within."""
    found: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection: Connection, _: Any, statement: str, values: Any, *__: Any) -> None:
        if statement.startswith("SELECT"):
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", values)
            found.extend(row[3] for row in rows)

    yield found


@pytest.mark.parametrize("ask", ASKED)
def test_no_question_reads_all_jobs_or_the_whole_ledger(ask: Callable[[Session], object], tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine)
    with plans(engine) as found, Session(engine) as session:
        ask(session)

    assert [step for step in found if "USING INDEX" in step]
    assert not [step for step in found if step.startswith("SCAN")]
    engine.dispose()
