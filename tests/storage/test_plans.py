"""How the databases answer what lists and searches ask: along an index and no further than a page, however long the history is.

The plans are those for empty tables: what is held here is that an index leads the way, not that a planner prefers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from delivery.document_request import QueueFilter
from delivery.searching import Leg, Place
from delivery.stores import LogFilter
from storage.audit_log import SqlUsageLog
from storage.deliveries import SqlDeliveries
from storage.engine import open_engine
from storage.ledger import SqlLedger
from storage.migrating import migrate
from storage.models import Base, DayRow
from storage.past_jobs import SqlPastJobs
from storage.privacy import SqlPrivacy
from storage.requests import SqlRequests
from tests.world import migrated

NOW = datetime(2026, 7, 1, tzinfo=UTC)
Ask = Callable[[Session], object]


def queue(**wanted: str) -> Ask:
    return lambda session: SqlRequests(session).queue(QueueFilter(**wanted))  # type: ignore[arg-type]  # texts


def log(**wanted: Any) -> Ask:
    return lambda session: SqlUsageLog(session).find(LogFilter(**wanted))


def queue_leg(older: bool, **wanted: str) -> Ask:
    leg = Leg(older, Place(NOW, "TR-1"))
    return lambda session: SqlRequests(session).queue(QueueFilter(**wanted), leg)  # type: ignore[arg-type]  # texts


def log_leg(older: bool, **wanted: Any) -> Ask:
    return lambda session: SqlUsageLog(session).search(LogFilter(**wanted), Leg(older, Place(NOW, "7")))


def history(**parts: str) -> Ask:
    return lambda session: SqlLedger(session).history([(parts, NOW)])


def first_day(session: Session) -> object:
    """A day of a log that has one."""
    session.add(DayRow(day=NOW.date().isoformat(), first=1))
    session.flush()
    return log(since=NOW, until=NOW + timedelta(days=1))(session)


ASKED: dict[str, tuple[Ask, str]] = {
    "open": (queue(), "ix_requests_waiting"),
    "open, a library": (queue(library_id="a"), "ix_requests_library_waiting"),
    "at the desk": (queue(view="desk"), "ix_requests_waiting"),
    "mine": (queue(view="mine", assignee_id="me", library_id="a"), "ix_requests_library_waiting"),
    "approval": (queue(view="approval"), "ix_requests_waiting"),
    "supplied": (queue(view="supplied"), "ix_requests_ended"),
    "supplied, a library": (queue(view="supplied", library_id="a"), "ix_requests_library_ended"),
    "closed": (queue(view="closed"), "ix_requests_ended"),
    "closed, a library": (queue(view="closed", library_id="a"), "ix_requests_library_ended"),
    "all": (queue(view="all"), "ix_requests_ended"),
    "all, a library": (queue(view="all", library_id="a"), "ix_requests_library_ended"),
    "all, words": (queue_leg(True, view="all", text="words"), "ix_requests_ended"),
    "all, words, towards the newest": (queue_leg(False, view="all", text="words"), "ix_requests_ended"),
    "all, words, a library": (queue_leg(True, view="all", text="words", library_id="a"), "ix_requests_library_ended"),
    "closed, a language": (queue_leg(True, view="closed", language="zh"), "ix_requests_ended"),
    "the same work": (lambda session: SqlRequests(session).same_work(["a work"], "a"), "ix_request_works_work"),
    "labels": (lambda session: SqlRequests(session).counts("a"), "ix_requests_library"),
    "log, a kind": (log(kind="copy:supplied"), "ix_audit_events_kind"),
    "log, a library": (log(library_id="a"), "ix_audit_events_library"),
    "log, a request": (log(request="TR-1"), "ix_audit_events_request"),
    "log, a reader": (log(reader_key="somebody"), "ix_audit_events_actor"),
    "log, words": (log_leg(True, title="words"), "pk_audit_events"),
    "log, words, towards the newest": (log_leg(False, title="words"), "pk_audit_events"),
    "log, an agreement": (log_leg(True, agreement="limited"), "pk_audit_events"),
    "log, words of a kind": (log_leg(True, title="words", kind="copy:supplied"), "ix_audit_events_kind"),
    "log, words of a library": (log_leg(True, title="words", library_id="a"), "ix_audit_events_library"),
    "log, a day": (first_day, "pk_audit_events"),
    "one agreement": (lambda session: SqlLedger(session).highest("a.per_month"), "ix_ledger_rule_scope"),
    "a limit of a library": (history(entity="a"), "ix_usage_overnight_entity"),
    "a limit of a title": (history(title="issn:29990017"), "ix_usage_overnight_title"),
    "files to remove": (lambda session: SqlDeliveries(session).blobs_to_remove(NOW, 100), "ix_deliveries_files"),
    "decisions that name a reader": (
        lambda session: SqlPrivacy(session).decisions_naming("somebody"),
        "ix_requests_counts_for",
    ),
    "past jobs": (lambda session: SqlPastJobs(session).walk(7, 100), "pk_jobs"),
    "links to end": (lambda session: SqlDeliveries(session).due_to_expire(NOW, 100), "ix_deliveries_ending"),
}
"""What is asked, and the index that leads the way."""
TABLES = frozenset(Base.metadata.tables)
SORTED_FEW = {
    *("labels", "log, a reader", "a limit of a library", "a limit of a title"),
    *("decisions that name a reader", "the same work"),
}
"""What waits is grouped by state; what one reader's requests brought about, what counts in a window, and who else asked for a work is sorted: no long
history is behind these."""
Plan = list[tuple[Any, ...]]


def plans(engine: Engine, ask: Ask, explain: str, *settings: str) -> list[Plan]:
    """The plan of each statement that this asks: its steps, whose text comes last."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, given: Any, *_: Any) -> None:
        sent.append((text, given))

    event.listen(engine, "before_cursor_execute", note)
    with Session(engine) as session:
        ask(session)
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        for setting in settings:
            connection.exec_driver_sql(setting)
        return [
            [tuple(row) for row in connection.exec_driver_sql(f"{explain} {text}", given)]
            for text, given in sent
            if text.lstrip().startswith(("SELECT", "WITH"))
        ]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    file = tmp_path_factory.mktemp("plans") / "empty.db"
    file.write_bytes(migrated())
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


def walked(step: str, index: str) -> bool:
    """Whether a step goes along an index. On SQLite the numbers of events and of jobs are the tables' own order."""
    return index in step or f"{index.removeprefix('pk_')} USING INTEGER PRIMARY KEY" in step


def scanned(plan: Plan, index: str) -> list[str]:
    """Tables that are read whole: not along the index, which may hold few of their rows."""
    steps = [step.split() for *_, step in plan]
    return [" ".join(words) for words in steps if words[0] == "SCAN" and words[1] in TABLES and index not in words]


def sorted_whole(plan: Plan) -> list[str]:
    """What is sorted though nothing ended it before: steps beside a sort that read a table themselves."""
    sorts = {parent for _, parent, _, step in plan if "TEMP B-TREE" in step}
    read = [(parent, step) for _, parent, _, step in plan if step.split()[0] in {"SCAN", "SEARCH"}]
    return [step for parent, step in read if parent in sorts and step.split()[1] in TABLES]


@pytest.mark.parametrize("name", ASKED)
def test_sqlite_walks_an_index_and_neither_scans_nor_sorts(small: Engine, name: str) -> None:
    ask, index = ASKED[name]
    found = plans(small, ask, "EXPLAIN QUERY PLAN")

    assert [step for plan in found for *_, step in plan if walked(step, index)], found
    assert not [step for plan in found for step in scanned(plan, index)]
    assert name in SORTED_FEW or not [step for plan in found for step in sorted_whole(plan)]


def test_postgresql_walks_the_same_indexes_and_does_not_sort(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)
    # An empty table is read whole whatever there is, so the planner is told what a long history would tell him.
    large = ("SET enable_seqscan = off", "SET enable_bitmapscan = off", "SET enable_sort = off", "SET jit = off")
    wrong = {}
    for name, (ask, index) in ASKED.items():
        steps = [str(step) for plan in plans(engine, ask, "EXPLAIN", *large) for (step,) in plan]
        sorts = [step for step in steps if "Sort  (" in step and name not in SORTED_FEW]
        if sorts or not [step for step in steps if index in step] or [step for step in steps if "Seq Scan" in step]:
            wrong[name] = steps
    engine.dispose()

    assert not wrong, "\n".join(line for name, steps in wrong.items() for line in (name, *steps))
