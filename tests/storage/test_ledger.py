"""Counting what several limits count reads the records they count, and not every record there is; settling settles what is held."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from delivery.stores import LedgerEntry, Slot
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


def test_what_was_given_back_or_settled_before_is_not_settled(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'settle.db'}")
    migrate(engine)
    with Session(engine) as session:
        ledger = SqlLedger(session)
        for rule, kinds in {"held": ["reserve"], "back": ["reserve", "release"], "old": ["reserve", "settle"]}.items():
            for kind in kinds:
                ledger.enter(LedgerEntry("TR-1/1", Slot("agreement", rule, f"{rule}|reader=x"), kind, SINCE))
        ledger.enter(LedgerEntry("TR-2/1", Slot("agreement", "held", "held|reader=x"), "reserve", SINCE))
        ledger.settle("TR-1/1", SINCE)
        lines = [
            (one.claim, one.slot.scope)
            for claim in ("TR-1/1", "TR-2/1")
            for one in ledger.entries(claim)
            if one.kind == "settle"
        ]
    engine.dispose()

    assert sorted(lines) == [("TR-1/1", "held|reader=x"), ("TR-1/1", "old|reader=x")]
