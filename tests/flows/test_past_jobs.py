"""The rows of jobs that are done go after their days, and none that somebody still needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from admin.fsck.examining import examine, patience_of
from admin.sweeper import Sweeper
from delivery.lifecycle import State
from delivery.services import expiring
from storage.models import JobRow
from tests.world import World

KEPT = timedelta(days=90)
DAY = timedelta(days=1)


def supplied(world: World, link_ends: bool = True) -> str:
    number = world.ask().number
    world.work()
    if not link_ends:
        with world.store.write() as work:
            work.deliveries.save(replace(world.delivery(number), expires_at=None))
    return number


def later(world: World, by: timedelta) -> None:
    world.clock.move(by)
    expiring.expire_links(world.ctx)
    expiring.remove_jobs(world.ctx, 0)


def keys(world: World) -> list[str]:
    with world.services.engine.connect() as connection:
        return list(connection.scalars(select(JobRow.key).order_by(JobRow.id)))


def change(world: World, **values: object) -> None:
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(update(JobRow).values(**values))


def test_the_jobs_of_a_closed_request_go_and_nothing_misses_them(world: World) -> None:
    number = supplied(world)
    later(world, KEPT - DAY)
    assert len(keys(world)) >= 3

    later(world, 2 * DAY)

    assert keys(world) == []
    assert world.get(number).state is State.EXPIRED
    expiring.remove_files(world.ctx)
    assert list(examine(world.services, patience_of(world.services, DAY))) == []


def test_a_copy_that_can_be_opened_keeps_the_job_that_announced_it(world: World) -> None:
    number = supplied(world, link_ends=False)

    later(world, 2 * KEPT)

    assert f"mail:delivered:{world.delivery(number).number}" in keys(world)
    assert list(examine(world.services, patience_of(world.services, DAY))) == []


@pytest.mark.parametrize("state", ["queued", "running", "quarantined", "retried", "dismissed"])
def test_what_is_not_done_stays(world: World, state: str) -> None:
    supplied(world)
    change(world, state=state)
    before = keys(world)

    later(world, 2 * KEPT)

    assert keys(world) == before


def test_an_open_request_keeps_its_jobs(world: World) -> None:
    number = world.ask(doi="10.5555/nobody.has.this", title="Nobody has this").number
    world.work()
    assert world.get(number).state is State.AT_DESK

    later(world, 2 * KEPT)

    assert f"fetch:{number}:1" in keys(world)


def test_a_job_that_was_finished_is_not_taken_twice_and_one_that_is_not_done_never(world: World) -> None:
    supplied(world)
    with world.store.write() as work:
        seen = work.past_jobs.walk(0, 100)
    change(world, state="queued")

    with world.store.write() as work:
        work.past_jobs.remove([job.id for job in seen])

    assert len(keys(world)) == len(seen)


def test_the_walk_goes_on_behind_a_batch_and_ends_at_young_jobs(world: World) -> None:
    supplied(world)
    world.clock.move(2 * KEPT)
    expiring.expire_links(world.ctx)

    behind = expiring.remove_jobs(world.ctx, 0, most=2)

    assert behind == 2
    assert len(keys(world)) >= 1
    while behind:
        behind = expiring.remove_jobs(world.ctx, behind, most=2)
    assert keys(world) == []


def test_the_sweeper_takes_them(world: World) -> None:
    supplied(world)
    world.clock.move(2 * KEPT)
    sweeper = Sweeper(world.ctx, lambda job: None)

    for at in (4000.0, 4031.0):
        sweeper.round(at)

    with world.services.engine.connect() as connection:
        kinds = list(connection.scalars(select(JobRow.kind)))
    assert set(kinds) <= {"retain"}
