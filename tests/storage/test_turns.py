"""Writers of one process line up before a database that lets one write at a time."""

from __future__ import annotations

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
    with store.read() as work:
        assert work.session.scalar(text("SELECT count(*) FROM things")) == 1
