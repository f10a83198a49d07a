"""States that contradict each other are named, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.services import desk, linking
from tests.fsck.planting import Used, make_used

LIVE = "state = 'live' AND opens_used > 0"
CHANGES = (
    ("live-not-supplied", "UPDATE requests SET state = 'refused' WHERE state = 'supplied'"),
    ("live-not-supplied", "UPDATE requests SET state = 'unfilled', delivery = '' WHERE state = 'supplied'"),
    ("live-after-end", f"UPDATE deliveries SET ended_at = '2026-11-20 09:00:00.000000' WHERE {LIVE}"),
    ("live-after-end", "UPDATE deliveries SET state = 'live', ended_at = NULL WHERE state = 'revoked'"),
    ("copy-parts-differ", f"UPDATE deliveries SET base_bytes = NULL WHERE {LIVE}"),
    ("state-unknown", "UPDATE requests SET state = 'limbo' WHERE state = 'at_desk'"),
    ("state-unknown", "UPDATE requests SET state = 'new', hold = 'zzz' WHERE state = 'at_desk'"),
    ("state-unknown", "UPDATE deliveries SET state = 'zombie' WHERE state = 'revoked'"),
    ("state-unknown", "UPDATE jobs SET state = 'lost' WHERE kind = 'mail'"),
    ("state-unknown", "UPDATE usage_records SET status = 'maybe' WHERE status = 'filled'"),
    ("ledger-odd", "UPDATE ledger SET kind = 'gift' WHERE kind = 'refund'"),
    ("windows-differ", "DELETE FROM windows"),
    ("windows-differ", "UPDATE windows SET delivery = (SELECT max(number) FROM deliveries WHERE opens_used = 0)"),
    ("window-too-long", "UPDATE windows SET ends_at = '2036-11-24 09:00:00.000000'"),
)


@pytest.fixture
def on_postgresql(postgres_url: str, tmp_path: Path, collection: Path) -> Iterator[Used]:
    made = make_used(tmp_path / "home", collection, postgres_url)
    yield made
    made.world.close()


@pytest.mark.parametrize(("code", "change"), CHANGES)
def test_a_state_that_cannot_be_is_named(used: Used, code: str, change: str) -> None:
    assert used.sql(change) > 0

    assert code in used.codes()


def test_states_that_cannot_be_are_named_on_postgresql(on_postgresql: Used) -> None:
    for code, change in (CHANGES[0], CHANGES[2], CHANGES[4], CHANGES[6], CHANGES[8], CHANGES[10], CHANGES[13]):
        assert on_postgresql.sql(change) > 0, code

    assert on_postgresql.codes() >= {
        "live-not-supplied", "live-after-end", "copy-parts-differ", "state-unknown", "ledger-odd", "window-too-long",
    }  # fmt: skip


def test_a_mail_that_was_never_sent_is_named(used: Used) -> None:
    used.world.ask(used.world.other, doi="10.5555/lantern.2020.0004")
    used.world.work(without="mail")
    assert used.found() == []

    used.sql("UPDATE jobs SET state = 'done' WHERE state = 'queued'")

    assert [one.code for one in used.found()] == ["mail-without-event"]


def test_every_end_that_a_person_gives_a_request_is_no_finding(used: Used) -> None:
    world = used.world
    desk.leave_unfilled(world.ctx, world.librarian, used.at_desk, "Nobody has it.")
    cancelled = world.ask(world.other, title="Another that nobody has", year="2021").number
    world.work()
    desk.cancel_for_reader(world.ctx, world.librarian, cancelled, "Asked for twice.")
    linking.revoke(world.ctx, world.librarian, used.delivery(used.whole), "The wrong one.")
    world.work()

    assert used.found(deep=True) == []
