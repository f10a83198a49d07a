"""Processes that write to one log by turns and at once: each number once, the chain and the tree's edge unbroken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, text

from delivery.errors import Conflict
from drm.audit.chain import Head, verify_chain
from drm.audit.events import Event
from drm.audit.tree import entry_hash, folded, grown
from storage.audit_log import AuditLog
from storage.engine import open_engine
from storage.migrating import migrate
from storage.reader_secrets import ReaderSecrets
from storage.unit_of_work import SqlStore
from tests.services.databases import BOTH

KEY = b"k" * 32
LOOKED = Event("request:looked", datetime(2026, 11, 24, tzinfo=UTC), "system")


@pytest.fixture(params=BOTH)
def processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[SqlStore, SqlStore]]:
    """Two stores on one database that know nothing of each other."""
    url = f"sqlite:///{tmp_path / 'log.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    engines = open_engine(url), open_engine(url)
    migrate(engines[0])
    secrets = ReaderSecrets(f"sqlite:///{tmp_path / 'secrets.db'}")
    one, other = (SqlStore(engine, AuditLog(KEY, None), secrets) for engine in engines)
    yield one, other
    for engine in (*engines, secrets.engine):
        engine.dispose()


def write(store: SqlStore, count: int) -> None:
    with store.write() as work:
        for _ in range(count):
            work.record(LOOKED)


def come_to_nothing(store: SqlStore) -> None:
    with store.write() as work:
        store.audit_log.append(work.session, [LOOKED, LOOKED])
        raise Conflict("already-there", "no")


def statements(store: SqlStore, count: int) -> int:
    """How many statements it takes to write so many events in one transaction."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        sent.append(text)

    event.listen(store.engine, "before_cursor_execute", note)
    write(store, count)
    event.remove(store.engine, "before_cursor_execute", note)
    return sum(not text.startswith(("BEGIN", "PRAGMA")) for text in sent)


def whole(store: SqlStore, size: int) -> bool:
    """Whether the log has so many events, each where it belongs, and its head row says so."""
    with store.read() as work:
        rows, head = list(work.log.rows()), work.tree.head()
    frontier: tuple[bytes, ...] = ()
    for place, row in enumerate(rows):
        frontier = grown(frontier, place, entry_hash(row.leaf))
    verdict = verify_chain(KEY, rows, None)
    return verdict.whole and verdict.size == size == head.size and head.root == folded(frontier)


def test_processes_that_write_by_turns_go_on_where_the_other_ended(processes: tuple[SqlStore, SqlStore]) -> None:
    for turn, count in enumerate((2, 3, 1, 1, 4, 2, 1)):
        write(processes[turn % 2], count)

    assert whole(processes[0], 14)


def test_processes_that_write_at_once_take_each_number_once(processes: tuple[SqlStore, SqlStore]) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda turn: write(processes[turn % 2], 1 + turn % 3), range(30)))

    assert whole(processes[0], 60)


def test_what_came_to_nothing_is_not_remembered_as_the_end_of_the_log(processes: tuple[SqlStore, SqlStore]) -> None:
    store, _ = processes
    write(store, 2)
    with pytest.raises(Conflict):
        come_to_nothing(store)
    write(store, 1)

    assert whole(store, 3)


def test_who_wrote_last_appends_by_one_statement_and_anybody_else_by_three(
    processes: tuple[SqlStore, SqlStore],
) -> None:
    one, other = processes
    write(one, 1)

    assert [statements(one, 3), statements(one, 1)] == [1, 1]
    assert [statements(other, 2), statements(one, 2), statements(one, 2)] == [2, 3, 1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_head SET chain = frontier",
        "UPDATE audit_head SET frontier = chain",
        "UPDATE audit_head SET size = 2, hashed = 2",
        "UPDATE audit_head SET hashed = 9",
        "DELETE FROM audit_head",
    ],
)
def test_nothing_is_built_on_a_head_row_that_contradicts_the_events(
    processes: tuple[SqlStore, SqlStore], change: str
) -> None:
    one, other = processes
    write(one, 3)
    with one.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(text(change))

    with pytest.raises(Conflict, match="head row") as refused:
        write(other, 1)

    assert refused.value.code == "log-broken"
    with one.read() as work:
        assert work.log.size() == 3


def test_heads_that_wait_for_the_disk_are_kept_by_one_write_and_the_newest_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, slow, writes = AuditLog(KEY, tmp_path / "head"), threading.Event(), list[int]()

    def sync(_: int) -> None:
        writes.append(1)
        slow.wait(20)

    monkeypatch.setattr("storage.audit_log.os.fsync", sync)
    writers = [threading.Thread(target=log.keep_head, args=[Head(size, b"\1" * 32)]) for size in (1, 7, 9, 8, 3)]
    for writer in writers:
        writer.start()
        time.sleep(0.02)  # the first has the turn, the others wait behind it
    slow.set()
    for writer in writers:
        writer.join(20)

    assert (log.kept_head(), len(writes)) == (Head(9, b"\1" * 32), 2)
