"""What counts, and for whom, is held against the log on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.services.correcting import correct
from tests.fsck.planting import Used, make_used

SOMEBODY = "SELECT id, reader_key FROM people WHERE reader_key NOT IN (SELECT reader_key FROM reader_links) LIMIT 1"
CHANGES = (
    ("ledger-scope-differs", "UPDATE ledger SET scope = 'limited.per_month|reader=nobody'"),
    ("ledger-scope-differs", "UPDATE usage_records SET reader = 'nobody' WHERE status = 'filled'"),
    ("ledger-odd", "UPDATE ledger SET scope = 'limited.per_month|reader=nobody' WHERE kind = 'settle'"),
    ("rule-unknown", "UPDATE ledger SET rule = 'limited.other', scope = 'limited.other'"),
    ("filled-at-differs", "UPDATE usage_records SET filled_at = '2020-01-01 09:00:00.000000' WHERE status = 'filled'"),
    ("reader-gone", "DELETE FROM reader_links"),
    ("reader-mixed-up", f"UPDATE reader_links SET (reader_id, reader_key) = ({SOMEBODY})"),
)


@pytest.mark.parametrize(("code", "change"), CHANGES)
def test_what_is_changed_behind_the_log_is_named(used: Used, code: str, change: str) -> None:
    assert used.sql(change) > 0

    assert code in used.codes()


@pytest.fixture
def on_postgresql(postgres_url: str, tmp_path: Path, collection: Path) -> Iterator[Used]:
    made = make_used(tmp_path / "home", collection, postgres_url)
    yield made
    made.world.close()


def test_it_is_named_on_postgresql_too(on_postgresql: Used) -> None:
    for code, change in (CHANGES[1], CHANGES[2], CHANGES[4], CHANGES[6]):
        assert on_postgresql.sql(change) > 0, code
    assert on_postgresql.codes() >= {"ledger-odd", "ledger-scope-differs", "filled-at-differs", "reader-mixed-up"}

    on_postgresql.sql(CHANGES[3][1])
    on_postgresql.sql(CHANGES[5][1])

    assert on_postgresql.codes() >= {"rule-unknown", "reader-gone"}


LOST_DAYS = (
    "DELETE FROM audit_days",
    "DELETE FROM audit_days WHERE first = 1",
    "UPDATE audit_days SET first = first + 1",
)


@pytest.mark.parametrize("change", LOST_DAYS)
def test_a_day_of_the_log_that_is_not_that_of_its_events_is_named(used: Used, change: str) -> None:
    used.world.clock.move(timedelta(hours=26))
    used.world.ask(used.world.other, doi="10.5555/lantern.2020.0004")
    used.world.work()
    used.world.clock.move(-timedelta(hours=25))
    used.world.ask(used.world.other, doi="10.5555/lantern.2019.0003")
    used.world.work()
    assert "log-days-differ" not in used.codes()

    assert used.sql(change) > 0

    assert "log-days-differ" in used.codes()


def test_what_was_corrected_is_no_change_behind_the_log(used: Used) -> None:
    asked = used.world.get(used.whole).created_at
    used.world.clock.move(timedelta(minutes=30))
    correct(used.world.ctx, used.world.officer, used.whole, "It was later.", filled_at=asked + timedelta(minutes=20))

    assert used.found() == []
