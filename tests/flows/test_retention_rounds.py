"""Rounds of forgetting: a long look keeps its lease, and a round counts once what it removed, whoever does it and how often."""

from __future__ import annotations

import pytest

from delivery.privacy import HoldKind
from delivery.services import holding, retaining
from delivery.stores import LogFilter
from tests.flows.test_privacy import ended
from tests.world import World

SECOND = "10.5555/lantern.2022.0002"


def two_ended(world: World) -> None:
    world.ask(world.other, doi=SECOND)
    ended(world)


def test_a_look_at_many_records_keeps_its_lease_also_where_none_is_due(world: World) -> None:
    two_ended(world)
    for person in (world.reader, world.other):
        holding.place(world.ctx, world.officer, HoldKind.READER, person.reader_key, "a dispute")
    seen: list[int] = []

    assert retaining.announce(world.ctx, lambda: seen.append(1)) is None
    assert len(seen) >= 2


def test_a_round_that_two_carry_out_at_once_is_told_once_with_all_that_went(world: World) -> None:
    two_ended(world)
    retaining.announce(world.ctx)
    others: list[object] = []

    def meanwhile() -> None:
        if not others:
            others.append(None)
            others.append(retaining.carry_out(world.ctx, world.officer))

    done = retaining.carry_out(world.ctx, world.officer, meanwhile)

    assert done is not None
    assert done == others[1]
    assert done.removed == 2
    with world.store.read() as work:
        assert len(work.log.find(LogFilter(kind="retention:done")).entries) == 1


def test_a_round_that_was_broken_off_counts_what_went_before(world: World) -> None:
    two_ended(world)
    retaining.announce(world.ctx)
    with world.store.read() as work:
        found = work.privacy.round()
        assert found is not None
        first = next(retaining.due(world.ctx, work, found.announced_at))

    def break_off() -> None:
        if world.get(first.request).reader_id is None:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        retaining.carry_out(world.ctx, world.officer, break_off)
    done = retaining.carry_out(world.ctx, world.officer)

    assert done is not None
    assert done.removed == 2
