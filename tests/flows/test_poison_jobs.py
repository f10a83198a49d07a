"""Jobs that will never work stop early and wait for a person, with their reason; troubles that pass are waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Never

import pytest
from click.testing import CliRunner

from admin.cli import rushlight
from delivery.errors import NotFound, Unavailable
from delivery.jobs import FETCH, LONE_TRIES, SUSPECT_DEATHS, NewJob
from delivery.lifecycle import State
from delivery.ports import Blob, Letter, MailFailed
from delivery.services.company import company
from delivery.services.quarantine import dismiss, retry, waiting_for_person
from delivery.services.working import run_job, sweep
from tests.world import World


class Mailer:
    """Fails with what it is given, and counts."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.letters: list[Letter] = []
        self.tries = 0

    def send(self, letter: Letter) -> None:
        """Count, fail or keep."""
        self.tries += 1
        if self.error is not None:
            raise self.error
        self.letters.append(letter)


def run_for_hours(world: World, hours: int = 12) -> None:
    for _ in range(hours * 4):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        world.clock.move(timedelta(minutes=15))


def with_mailer(world: World, error: Exception) -> tuple[World, Mailer]:
    mailer = Mailer(error)
    return replace(world, ctx=replace(world.ctx, mailer=mailer)), mailer


def test_what_nobody_foresaw_is_tried_twice_and_set_aside_with_its_kind(world: World) -> None:
    world, mailer = with_mailer(world, RuntimeError("holds a reader's name"))
    world.ask()
    run_for_hours(world)

    (job,) = waiting_for_person(world.ctx)

    assert mailer.tries == 2
    assert (job.kind, job.attempt, job.error) == ("mail", 2, "RuntimeError")


@pytest.mark.parametrize("error", [MailFailed("away"), OSError("no route"), Unavailable("blob-store", "away", 1)])
def test_troubles_that_pass_are_waited_for(world: World, error: Exception) -> None:
    world, mailer = with_mailer(world, error)
    world.ask()
    run_for_hours(world)
    assert mailer.tries > 10
    mailer.error = None
    run_for_hours(world, 2)

    assert waiting_for_person(world.ctx) == ()
    assert len(mailer.letters) == 1


class Away:
    """A store that takes nothing for a while."""

    def __init__(self, world: World) -> None:
        self.world, self.away = world, True

    def put(self, name: str, source: Path) -> Blob:
        """Nothing, or what is given."""
        if self.away:
            raise Unavailable("blob-store", "The blob store cannot be used now.", 30)
        return self.world.ctx.blobs.put(name, source)

    def __getattr__(self, name: str) -> object:
        return getattr(self.world.ctx.blobs, name)


def test_a_store_that_is_away_for_hours_sends_nothing_to_a_person_and_work_goes_on_a_minute_after(world: World) -> None:
    store = Away(world)
    away = replace(world, ctx=replace(world.ctx, blobs=store))  # type: ignore[arg-type]  # all else is the world's
    number = away.ask().number
    run_for_hours(away)
    assert waiting_for_person(world.ctx) == ()
    store.away = False
    world.clock.move(timedelta(minutes=1))

    away.work()

    assert world.get(number).state is State.SUPPLIED


class Killed(BaseException):
    """As kill -9: nobody in the process hears of it."""


def killed(source: object) -> Never:
    raise Killed


def die_with(world: World, job: int) -> None:
    """A worker takes the job and ends without a word."""
    deadly = replace(world.ctx, fetcher=killed)
    with pytest.raises(Killed):
        run_job(deadly, job, lambda *_: None)
    world.clock.move(timedelta(minutes=6))


def die_in_company(world: World, job: int) -> None:
    """A worker ends without a word when it has taken the job, while others work beside it."""
    with world.store.write() as work:
        assert work.jobs.claim(job, world.clock()) is not None
    world.clock.move(timedelta(minutes=6))


@pytest.mark.service
def test_a_job_that_ends_its_workers_is_set_aside_after_two_tries_alone_and_its_request_goes_to_the_desk(
    either: World,
) -> None:
    number = either.ask().number
    (job,) = sweep(either.ctx)
    for _ in range(SUSPECT_DEATHS + LONE_TRIES):
        assert waiting_for_person(either.ctx) == ()
        die_with(either, job)

    run_job(either.ctx, job, lambda *_: None)

    assert "5 workers in a row" in waiting_for_person(either.ctx)[0].error
    assert either.get(number).state is State.AT_DESK


@pytest.mark.service
def test_a_healthy_job_among_many_kills_is_never_set_aside(either: World) -> None:
    number = either.ask().number
    (job,) = sweep(either.ctx)
    for _ in range(20):
        die_in_company(either, job)
    die_with(either, job)

    either.work()

    assert either.get(number).state is State.SUPPLIED


def test_a_word_between_deaths_begins_the_count_anew(world: World) -> None:
    number = world.ask().number
    (job,) = sweep(world.ctx)
    for _ in range(SUSPECT_DEATHS + LONE_TRIES):
        die_with(world, job)
    with world.store.write() as work:
        claimed = work.jobs.claim(job, world.clock())
        assert claimed is not None
        assert claimed.is_poison
        work.jobs.retry(claimed, world.clock(), "The source is away.")
    die_with(world, job)

    world.work()

    assert world.get(number).state is State.SUPPLIED


def test_a_suspect_begins_when_its_neighbours_have_ended_and_none_begins_beside_it(world: World) -> None:
    world.ask()
    (suspect,) = sweep(world.ctx)
    for _ in range(SUSPECT_DEATHS):
        die_in_company(world, suspect)
    neighbour, order = threading.Event(), list[str]()

    def look(source: object) -> Never:
        order.append("suspect")
        raise OSError("no route")

    def run() -> None:
        run_job(replace(world.ctx, fetcher=look), suspect, lambda *_: None)

    with ThreadPoolExecutor(2) as pool:
        with company.together():
            done = pool.submit(run)
            for _ in range(3_000):
                if company.is_wanted_alone:
                    break
                neighbour.wait(0.01)
            later = pool.submit(_come_in, order)
            neighbour.wait(0.1)
            order.append("neighbour")
        done.result(60)
        later.result(60)

    assert order == ["neighbour", "suspect", "later"]


def _come_in(order: list[str]) -> None:
    with company.together():
        order.append("later")


def poisoned(world: World) -> tuple[World, Mailer, int]:
    world, mailer = with_mailer(world, RuntimeError("no"))
    world.ask()
    run_for_hours(world)
    mailer.error = None
    return world, mailer, waiting_for_person(world.ctx)[0].id


def requests(world: World) -> list[str]:
    with world.services.engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT number FROM requests").scalars())


def test_a_letter_that_is_tried_again_goes_out_once_under_its_own_message_id(world: World) -> None:
    world, mailer, job = poisoned(world)
    (number,) = requests(world)

    retry(world.ctx, job, "operator")
    run_for_hours(world, 1)

    assert [letter.message_id for letter in mailer.letters] == [world.delivery(number).message_id]
    assert waiting_for_person(world.ctx) == ()


def test_a_request_at_the_desk_looks_at_all_sources_again(world: World) -> None:
    number = world.ask().number
    (job,) = sweep(world.ctx)
    for _ in range(SUSPECT_DEATHS + LONE_TRIES):
        die_with(world, job)
    run_job(world.ctx, job, lambda *_: None)
    world.clock.move(timedelta(hours=1))

    assert retry(world.ctx, job, "operator").looks_again
    world.work()

    assert world.get(number).state is State.SUPPLIED
    assert "job:retried" in world.kinds(number)


@pytest.mark.parametrize("act", [retry, dismiss])
def test_a_job_is_taken_out_once(world: World, act: Callable[..., object]) -> None:
    world, _, job = poisoned(world)
    act(world.ctx, job, "operator")

    with pytest.raises(NotFound):
        act(world.ctx, job, "operator")


def test_the_commands_list_retry_and_dismiss(world: World, tmp_path: Path) -> None:
    world, _, job = poisoned(world)

    def run(*words: str) -> str:
        env = {"RUSHLIGHT_HOME": str(world.services.settings.home)}
        return CliRunner().invoke(rushlight, ["jobs", *words], env=env, catch_exceptions=False).output

    assert f"{job} mail" in run("list")
    assert '"reason": "RuntimeError"' in run("list", "--json")
    assert run("dismiss", str(job)) == f"{job} is dismissed\n"
    assert run("list") == ""


def test_a_job_whose_request_is_not_there_is_set_aside(world: World) -> None:
    with world.store.write() as work:
        work.jobs.add(NewJob(FETCH, "fetch:XX-0000-0000:1", {"request": "XX-0000-0000"}), world.clock())
    for _ in range(20):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        world.clock.move(timedelta(minutes=30))

    assert [job.key for job in waiting_for_person(world.ctx)] == ["fetch:XX-0000-0000:1"]
