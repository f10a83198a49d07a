"""What is told to others is durable first, and a job belongs to the attempt that has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.jobs import LEASE
from delivery.lifecycle import State
from delivery.services.working import run_job, sweep
from tests.world import World, make_world


class PowerCut(BaseException):
    """The process ends here."""


def cut_at(world: World, step: str, phase: str) -> None:
    """Let the process end where a transaction with this step is about to commit, or has."""

    def passing(steps: Sequence[str], at: str) -> None:
        if step in steps and at == phase:
            world.store.passing = None
            raise PowerCut

    world.store.passing = passing


def test_nobody_is_rung_for_a_job_that_was_never_written(world: World) -> None:
    rung: list[int] = []
    world.store.ring = rung.append
    cut_at(world, "request:created", "before")
    log = world.ctx.check_log().size

    with pytest.raises(PowerCut):
        world.ask()

    assert rung == []
    assert sweep(world.ctx) == ()
    assert world.ctx.check_log().size == log


def test_a_ring_that_comes_finds_its_job(world: World) -> None:
    found: list[bool] = []

    def ring(job: int) -> None:
        found.append(job in sweep(world.ctx))

    world.store.ring = ring

    world.ask()

    assert found == [True]


def test_the_head_never_knows_an_event_that_was_not_written(world: World) -> None:
    world.ask()
    cut_at(world, "request:created", "before")
    with pytest.raises(PowerCut):
        world.ask(world.other)

    assert world.ctx.check_log().whole


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_copy_and_what_it_counts_are_written_together_or_not_at_all(world: World, phase: str) -> None:
    number = world.ask().number
    cut_at(world, "copy:supplied", phase)
    with pytest.raises(PowerCut):
        world.work()

    with world.store.read() as work:
        copies, record = work.deliveries.of_request(number), work.ledger.record(f"{number}/1")
    assert record is not None
    assert (len(copies), record.status) == ((0, "reserved") if phase == "before" else (1, "filled"))
    world.clock.move(max(LEASE.values()))
    world.clock.move(timedelta(seconds=1))
    world.work()
    assert world.get(number).state is State.SUPPLIED
    assert world.kinds(number).count("copy:supplied") == 1


def test_no_letter_goes_out_for_a_copy_that_was_never_published(world: World) -> None:
    world.ask()
    cut_at(world, "copy:supplied", "before")

    with pytest.raises(PowerCut):
        world.work()

    assert world.post.letters == []


def test_a_prepared_document_is_stored_before_anybody_knows_of_it(world: World) -> None:
    world.ask()
    cut_at(world, "master:kept", "after")
    with pytest.raises(PowerCut):
        world.work()

    with world.services.engine.connect() as connection:
        [blob] = connection.exec_driver_sql("SELECT blob FROM masters").scalars()
    assert world.ctx.blobs.exists(blob)


def test_a_job_that_was_taken_over_is_not_finished_or_put_back_by_its_first_worker(world: World) -> None:
    world.ask()
    (job,) = sweep(world.ctx)
    with world.store.write() as work:
        first = work.jobs.claim(job, world.clock())
    world.clock.move(timedelta(minutes=6))
    with world.store.write() as work:
        second = work.jobs.claim(job, world.clock())
    assert first is not None
    assert second is not None

    with world.store.write() as work:
        done = [
            work.jobs.renew(first, world.clock()),
            work.jobs.finish(first, world.clock()),
            work.jobs.retry(first, world.clock(), "away"),
            work.jobs.set_aside(first, world.clock(), "bad"),
        ]

    assert done == [False] * 4
    with world.store.write() as work:
        assert work.jobs.finish(second, world.clock())


@pytest.mark.parametrize("kind", ["waiting", "taken over", "renewed"])
def test_a_lease_is_as_long_as_the_settings_say_for_workers_of_other_machines(
    tmp_path: Path, collection: Path, kind: str
) -> None:
    world = make_world(tmp_path / "short", collection, lease_seconds="5")
    world.ask()
    (job,) = sweep(world.ctx)
    for _ in range(2 if kind == "taken over" else 1):
        with world.store.write() as work:
            claimed = work.jobs.claim(job, world.clock())
            assert claimed is not None
            if kind == "renewed":
                assert work.jobs.renew(claimed, world.clock())
            assert claimed.lease == timedelta(seconds=5)
        assert sweep(world.ctx) == ()
        world.clock.move(timedelta(seconds=6))
        assert sweep(world.ctx) == (job,)
    world.close()


def test_a_job_that_one_has_is_nobody_elses(world: World) -> None:
    world.ask()
    (job,) = sweep(world.ctx)
    with world.store.write() as work:
        assert work.jobs.claim(job, world.clock()) is not None

    assert sweep(world.ctx) == ()
    assert not run_job(world.ctx, job, lambda *_: None)
