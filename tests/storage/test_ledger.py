"""Counting what several limits count reads the records they count, and not every record there is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.migrating import migrate

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = [({"reader": "somebody"}, SINCE), ({"entity": "harbour", "title": "issn:29990017"}, SINCE)]


def test_records_under_two_limits_are_found_by_their_indexes(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'index.db'}")
    migrate(engine)
    sent: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, text, given, *_: sent.append((text, given)))
    with Session(engine) as session:
        ledger = SqlLedger(session)
        ledger.history(LIMITS, "own"), ledger.history_and_head(LIMITS), ledger.history_at(LIMITS, 5, "own")
        asked = [(text, given) for text, given in sent if text.startswith("SELECT")]
        plans = [
            session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all() for text, given in asked
        ]
    engine.dispose()

    assert len(plans) == 3
    assert not [step for plan in plans for *_, step in plan if step.startswith("SCAN usage")]
