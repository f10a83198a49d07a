"""What PostgreSQL takes too long for ends as a trouble with advice, in processes that serve; commands may take their time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from delivery.errors import Invalid, Unavailable
from storage.audit_log import AuditLog
from storage.engine import Bounds, open_engine
from storage.reader_secrets import ReaderSecrets
from storage.unit_of_work import SqlStore

BOUNDS = Bounds(connect=2, statement=2, lock=1, idle=1)


@pytest.fixture
def store(postgres_url: str, tmp_path: Path) -> Iterator[SqlStore]:
    engine = open_engine(postgres_url, BOUNDS)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE things AS SELECT 1 AS id")
    yield SqlStore(engine, AuditLog(b"k" * 32, None), ReaderSecrets(f"sqlite:///{tmp_path}/secrets.db"))
    engine.dispose()


def test_a_statement_that_takes_too_long_is_a_trouble_that_passes(store: SqlStore) -> None:
    with pytest.raises(Unavailable) as caught, store.read() as work:
        work.session.execute(text("SELECT pg_sleep(60)"))

    assert (caught.value.code, caught.value.retry_after > 0) == ("database-busy", True)


def test_a_lock_that_somebody_keeps_is_waited_for_only_so_long(store: SqlStore) -> None:
    lock = text("SELECT id FROM things FOR UPDATE")
    unbounded = open_engine(store.engine.url.render_as_string(hide_password=False))
    with unbounded.connect() as other:
        other.execute(lock)

        with pytest.raises(Unavailable) as caught, store.write() as work:
            work.session.execute(lock)

    unbounded.dispose()
    assert caught.value.code == "database-busy"


def test_a_transaction_that_stands_idle_lets_go_of_its_locks_and_hears_of_it(store: SqlStore) -> None:
    lock = text("SELECT id FROM things FOR UPDATE")

    def halt_and_go_on() -> None:
        with store.write() as halted:
            halted.session.execute(lock)
            time.sleep(1.5)
            with store.write() as work:
                work.session.execute(lock)
            halted.session.execute(lock)

    with pytest.raises(Unavailable) as caught:
        halt_and_go_on()

    assert caught.value.code == "database-away"


def test_what_an_address_says_goes_before_our_own(postgres_url: str) -> None:
    engine = open_engine(f"{postgres_url}?options=-c%20statement_timeout%3D7s", BOUNDS)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
        )
        assert found.one() == ("7s", "1s")
    engine.dispose()


def test_a_command_has_all_the_time_it_needs(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"
    engine.dispose()


def test_a_value_that_postgresql_refuses_is_told_as_input(store: SqlStore) -> None:
    troubles: list[str] = []
    store.troubled = troubles.append

    with pytest.raises(Invalid) as caught, store.read() as work:
        work.session.execute(text("SELECT :word"), {"word": "TR\0"})

    assert (caught.value.code, troubles) == ("unfit-input", ["unfit-input"])
