"""One worker goes with a request from the search to the mail: each step is a job of its own that somebody else could take."""

from __future__ import annotations

from datetime import timedelta

from delivery.jobs import LEASE, MAIL, Job, NewJob
from delivery.lifecycle import State
from delivery.services.working import run_along, run_job, sweep
from tests.world import World


def claimed(world: World) -> tuple[Job, int]:
    """A job that is taken, and one that waits."""
    with world.store.write() as work:
        first, second = (work.jobs.add(NewJob(MAIL, f"mail:{name}"), world.clock()) for name in "ab")
        job = work.jobs.claim(first, world.clock())
    assert job is not None
    return job, second


def states(world: World) -> list[tuple[str, str, int]]:
    with world.services.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT kind, state, attempt FROM jobs ORDER BY id")]


def test_one_ring_brings_a_request_to_its_mail(world: World) -> None:
    rung: list[int] = []
    world.store.ring = rung.append
    number, said = world.ask().number, list[str]()

    assert run_along(world.ctx, rung[0], lambda what, job, error: said.append(f"{job.kind} {what}"))
    assert world.get(number).state is State.SUPPLIED
    assert said == ["fetch done", "prepare done", "mail done"]
    assert states(world) == [("fetch", "done", 1), ("prepare", "done", 1), ("mail", "done", 1)]
    assert (len(rung), len(world.post.letters)) == (1, 1)


def test_a_step_that_its_worker_does_not_go_on_with_is_found_by_the_sweeper(world: World) -> None:
    number = world.ask().number
    for _ in range(3):
        (due,) = sweep(world.ctx)
        run_job(world.ctx, due, lambda *_: None)

    assert world.get(number).state is State.SUPPLIED
    assert len(world.post.letters) == 1


def test_a_next_job_that_somebody_else_has_is_left_to_him(world: World) -> None:
    first, second = claimed(world)
    with world.store.write() as work:
        work.jobs.claim(second, world.clock())
    with world.store.write() as work:
        following = work.jobs.go_on(first, second, world.clock())

    assert following is None
    assert states(world) == [("mail", "done", 1), ("mail", "running", 1)]


def test_a_job_that_was_taken_over_is_not_ended_by_going_on(world: World) -> None:
    first, second = claimed(world)
    world.clock.move(LEASE[MAIL] + timedelta(seconds=1))
    with world.store.write() as work:
        work.jobs.claim(first.id, world.clock())
    with world.store.write() as work:
        following = work.jobs.go_on(first, second, world.clock())

    assert following == Job(second, MAIL, "mail:b", {}, 1)
    assert states(world) == [("mail", "running", 2), ("mail", "running", 1)]
