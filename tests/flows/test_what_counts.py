"""Which past copies count for a limit, asked of the real ledger on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.lifecycle import State
from delivery.services.correcting import correct
from delivery.stores import UsageRecord
from tests.flows.test_routes import Elsewhere, with_sources
from tests.world import LIMITED, World

BY_FILL = LIMITED.format(most=1, per="entity", effect="deny").replace(
    'unit = "month"', 'unit = "month", anchor = "filled_at"'
)
OTHER_NAME = BY_FILL.replace('id = "limited"', 'id = "limited-b"').replace("limited.per_month", "b.per_month")
START_OF_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
BEFORE, AFTER = START_OF_YEAR - timedelta(days=9), START_OF_YEAR + timedelta(days=9)


def bound(world: World, text: str, name: str = "limited") -> None:
    world.load(text)
    for source in ("collection", "desk"):
        world.bind(source, [name])


@pytest.mark.service
def test_a_copy_asked_for_in_december_and_filled_in_january_counts_in_january(either: World) -> None:
    bound(either, BY_FILL)
    either.clock.now = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
    late = either.ask()
    either.clock.now = datetime(2027, 1, 2, 12, 0, tzinfo=UTC)
    either.work()
    assert either.get(late.number).state is State.SUPPLIED

    second = either.ask(doi="10.5555/lantern.2022.0002")

    assert (second.state, second.reason) == (State.REFUSED, "ROLLING_QUOTA")


READER, JOINT, OTHER = "key-of-one", "key-of-two", "key-of-three"
ROWS: dict[str, tuple[str, str, datetime, datetime | None]] = {
    "asked and filled before": ("filled", READER, BEFORE, BEFORE),
    "asked before, filled after": ("filled", READER, BEFORE, AFTER),
    "asked after, filled after": ("filled", READER, AFTER, AFTER),
    "asked before, not filled": ("unfilled", READER, BEFORE, None),
    "asked after, not filled": ("unfilled", READER, AFTER, None),
    "asked after, given up": ("unfilled", READER, AFTER, None),
    "set aside before": ("reserved", READER, BEFORE, None),
    "cancelled": ("cancelled", READER, AFTER, None),
    "of another reader": ("filled", OTHER, AFTER, AFTER),
    "for both": ("filled", OTHER, AFTER, AFTER),
    "under no agreement": ("filled", READER, AFTER, AFTER),
}


def kept(world: World) -> int:
    """Write the rows; returns where the journal ended."""
    number = world.ask().number
    with world.store.write() as work:
        for name, (status, reader, asked, filled) in ROWS.items():
            facts: dict[str, object] = {"joint_readers": [OTHER, JOINT]} if name == "for both" else {}
            under = () if name == "under no agreement" else ("limited",)
            keys = {"reader": reader}
            work.ledger.put_record(
                UsageRecord(name, number, "harbour", status, under, facts, keys, asked, filled), asked
            )
    with world.store.read() as work:
        return work.ledger.journal_head()


@pytest.mark.service
def test_what_may_count_is_read_by_reader_and_time_and_nothing_is_missed(either: World) -> None:
    kept(either)

    with either.store.read() as work:
        own = {
            one.claim for one in work.ledger.history([({"reader": READER}, START_OF_YEAR)], "asked after, not filled")
        }
        joint = [one.claim for one in work.ledger.history([({"reader": JOINT}, START_OF_YEAR)])]
        ever = {one.claim for one in work.ledger.history([({"reader": READER}, None)])}
        both = {one.claim for one in work.ledger.history([({"reader": JOINT}, None), ({"reader": OTHER}, None)])}
        unknown = [({"reader": None}, None)], [({"title": None}, None)], [({"reader": READER, "title": None}, None)]
        nobody = [work.ledger.history(keys) for keys in (*unknown, [])]

    assert own == {
        "asked before, filled after",
        "asked after, filled after",
        "asked after, given up",
        "set aside before",
    }
    assert joint == ["for both"]
    assert ever == own | {"asked and filled before", "asked before, not filled", "asked after, not filled"}
    assert both == {"for both", "of another reader"}
    assert nobody == [(), (), (), ()]


@pytest.mark.service
def test_the_history_of_an_old_decision_is_read_as_it_stood_then(either: World) -> None:
    head = kept(either)
    with either.store.write() as work:
        for name in ("asked before, filled after", "cancelled", "set aside before"):
            record = work.ledger.record(name)
            assert record is not None
            status = {"cancelled": "filled", "set aside before": "cancelled"}.get(name, "cancelled")
            facts = {"work": {"id": "another"}}
            changed = UsageRecord(
                name, record.request, "harbour", status, record.under, facts, record.keys, record.requested_at, AFTER
            )
            work.ledger.put_record(changed, AFTER)

    with either.store.read() as work:
        then = {
            one.claim: one for one in work.ledger.history_at([({"reader": READER}, None)], head, "set aside before")
        }
        now = {one.claim for one in work.ledger.history([({"reader": READER}, None)])}

    assert set(then) == {
        "asked and filled before",
        "asked before, filled after",
        "asked after, filled after",
        "asked before, not filled",
        "asked after, not filled",
        "asked after, given up",
    }
    changed = then["asked before, filled after"]
    assert (changed.status, changed.facts, changed.filled_at) == ("filled", {}, AFTER)
    assert now == {"asked and filled before", "asked after, filled after", "asked before, not filled"} | {
        "asked after, not filled",
        "asked after, given up",
        "cancelled",
    }


def test_a_copy_under_an_agreement_that_was_renamed_counts_under_its_successor(world: World) -> None:
    bound(world, BY_FILL)
    world.ask()
    world.work()
    bound(world, OTHER_NAME, "limited-b")

    second = world.ask(doi="10.5555/lantern.2022.0002")

    assert second.decision["decision"]["counts"] == {"b.per_month": {"used": 1, "this": 1, "limit": 1}}  # type: ignore[index]
    assert second.state is State.REFUSED


def test_whoever_takes_a_copy_locks_every_limit_that_counts_it(world: World) -> None:
    bound(world, BY_FILL)
    world.load(OTHER_NAME)

    number = world.ask().number
    with world.services.engine.connect() as connection:
        asked = set(connection.exec_driver_sql("SELECT scope FROM quota_locks").scalars())
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("DELETE FROM quota_locks")
    world.work()
    with world.services.engine.connect() as connection:
        filled = set(connection.exec_driver_sql("SELECT scope FROM quota_locks").scalars())

    assert world.get(number).state is State.SUPPLIED
    assert asked == filled == {"limited.per_month|entity=harbour", "b.per_month|entity=harbour"}


def test_a_copy_that_came_by_open_access_takes_no_place(world: World, collection: Path) -> None:
    file = next(collection.rglob("*.pdf"))
    free = with_sources(world, {"open": Elsewhere(file, open_access=True)})
    number = free.ask(doi="10.9999/elsewhere").number
    free.work()
    assert free.delivery(number).open_access
    bound(world, BY_FILL)

    assert world.ask(doi="10.5555/lantern.2022.0002").state is State.NEW


def test_a_correction_tells_what_it_breaks_under_another_agreement(world: World) -> None:
    bound(world, BY_FILL)
    first = world.ask()
    world.work()
    world.clock.now = datetime(2026, 12, 5, 9, 0, tzinfo=UTC)
    bound(world, OTHER_NAME, "limited-b")
    second = world.ask(doi="10.5555/lantern.2022.0002")
    world.work()

    found = correct(world.ctx, world.librarian, first.number, "in December", world.clock() - timedelta(hours=1))

    assert [(breach.request, breach.rule) for breach in found] == [(second.number, "b.per_month")]
