"""Writers of one machine line up before a database that lets one write at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from delivery.errors import Unavailable
from storage import unit_of_work
from storage.audit_log import AuditLog
from storage.engine import open_engine
from storage.reader_secrets import ReaderSecrets
from storage.unit_of_work import SqlStore

LONG = 30.0
ONE_MORE = text("INSERT INTO things VALUES (1)")


@pytest.fixture
def troubles() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, troubles: list[str]) -> Iterator[SqlStore]:
    engine = open_engine(f"sqlite:///{tmp_path}/turns.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
    secrets = ReaderSecrets(f"sqlite:///{tmp_path}/secrets.db")
    yield SqlStore(engine, AuditLog(b"k" * 32, None), secrets, troubled=troubles.append)
    engine.dispose()


def written_in(store: SqlStore) -> int:
    with store.read() as work:
        return int(work.session.scalar(text("SELECT count(*) FROM things")) or 0)


def test_who_writes_next_begins_when_the_one_before_has_ended(store: SqlStore) -> None:
    written, begun = threading.Event(), threading.Event()

    def next_() -> None:
        begun.set()
        with store.write() as work:
            work.session.execute(ONE_MORE)
        written.set()

    with store.write() as work:
        work.session.execute(ONE_MORE)
        other = threading.Thread(target=next_)
        other.start()
        assert begun.wait(LONG)
        assert not written.wait(0.2)
    assert written.wait(LONG)
    other.join()


def test_a_writer_that_gets_no_turn_is_told_when_to_come_again(
    store: SqlStore, troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_of_work, "BUSY_MILLISECONDS", 50)
    caught: list[Unavailable] = []

    def late() -> None:
        try:
            with store.write() as work:
                work.session.execute(ONE_MORE)
        except Unavailable as error:
            caught.append(error)

    with store.write() as work:
        work.session.execute(ONE_MORE)
        other = threading.Thread(target=late)
        other.start()
        other.join(LONG)
    assert [(one.code, one.retry_after > 0) for one in caught] == [("database-busy", True)]
    assert troubles == ["database-busy"]


def test_a_transaction_that_fails_gives_its_turn_back(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="broken"), store.write():
        raise ValueError("broken")
    with store.write() as work:
        work.session.execute(ONE_MORE)
    assert written_in(store) == 1


HOLD = """
import sys, time
from pathlib import Path
from storage.turns import Turns
with Turns(Path(sys.argv[1])).turn(5):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the turn until its input ends."""
    line = [sys.executable, "-c", HOLD, str(tmp_path / "turns.db")]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_processes_write_by_turns(store: SqlStore, holder: subprocess.Popen[bytes]) -> None:
    written = threading.Event()

    def other() -> None:
        with store.write() as work:
            work.session.execute(ONE_MORE)
        written.set()

    thread = threading.Thread(target=other)
    thread.start()
    assert not written.wait(0.2)
    assert holder.stdin is not None
    holder.stdin.close()
    assert written.wait(LONG)
    thread.join()


def test_a_process_that_is_killed_leaves_its_turn(store: SqlStore, holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    with store.write() as work:
        work.session.execute(ONE_MORE)
    assert written_in(store) == 1


def test_who_waits_too_long_for_another_process_is_told_when_to_come_again(
    store: SqlStore, holder: subprocess.Popen[bytes], troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_of_work, "BUSY_MILLISECONDS", 50)
    with pytest.raises(Unavailable) as caught, store.write():
        pass
    assert caught.value.code == "database-busy"
    assert troubles == ["database-busy"]


def test_where_the_file_of_turns_cannot_be_made_writing_goes_on(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "turns.db-turn").mkdir()
    with store.write() as work:
        work.session.execute(ONE_MORE)
    assert written_in(store) == 1
