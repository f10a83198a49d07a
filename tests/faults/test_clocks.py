"""The clock is two days off, goes backwards in the middle of a job, or differs between two hosts: nothing is lost or doubled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.citation import Citation
from delivery.lifecycle import State
from delivery.ports import Letter
from delivery.services import desk, downloading, expiring
from delivery.services.downloading import LinkState
from delivery.services.working import run_job, sweep
from delivery.sources import Fetched, Fetcher
from tests.faults.installation import violations
from tests.world import World

JUMPS = [timedelta(days=2), timedelta(days=-2), timedelta(hours=1), timedelta(minutes=-10), timedelta(seconds=1)]


def run_due(world: World) -> None:
    for _ in range(6):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)


class Jumping:
    """A mailer in whose hands the clock jumps."""

    def __init__(self, inner: Callable[[Letter], None], jump: Callable[[], None]) -> None:
        self._send, self._jump = inner, jump

    def send(self, letter: Letter) -> None:
        """Jump, and send."""
        self._jump()
        self._send(letter)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_clock_that_jumps_between_two_jobs_and_comes_back_loses_nothing(world: World, jump: timedelta) -> None:
    number = world.ask().number
    run_job(world.ctx, sweep(world.ctx)[0], lambda *_: None)
    world.clock.move(jump)
    run_due(world)
    world.clock.move(-jump)
    run_due(world)

    assert world.get(number).state is State.SUPPLIED
    assert world.kinds(number).count("quota:settled") == 1
    assert violations(world) == []


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_clock_that_jumps_in_the_middle_of_a_letter_sends_it_once_more_at_most(world: World, jump: timedelta) -> None:
    mailer = Jumping(world.post.send, lambda: world.clock.move(jump))
    jumping = replace(world, ctx=replace(world.ctx, mailer=mailer))
    number = jumping.ask().number
    run_due(jumping)
    world.clock.move(-jump)
    world.work()

    letters = [letter.message_id for letter in world.post.letters]
    assert set(letters) == {world.delivery(number).message_id}
    assert len(letters) <= 2
    assert violations(world) == []


def test_a_job_whose_lease_ran_out_by_the_clock_is_taken_over_and_published_once(world: World) -> None:
    number = world.ask().number
    run_job(world.ctx, sweep(world.ctx)[0], lambda *_: None)
    (job,) = sweep(world.ctx)
    inner = world.ctx.blobs.put
    taken: list[bool] = []

    def put(name: str, source: object) -> object:
        if not taken:
            taken.append(True)
            world.clock.move(timedelta(days=2))
            run_job(world.ctx, job, lambda *_: None)
        return inner(name, source)  # type: ignore[arg-type]  # what it was given

    blobs = replace(world.ctx, blobs=_Blobs(world.ctx.blobs, put))  # type: ignore[arg-type]  # all else is as it was
    run_job(blobs, job, lambda *_: None)
    world.work()

    assert taken
    assert world.kinds(number).count("copy:supplied") == 1
    assert violations(world) == []


class _Blobs:
    def __init__(self, inner: object, put: Callable[..., object]) -> None:
        self._inner, self.put = inner, put

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def test_two_hosts_whose_clocks_differ_by_ninety_seconds_do_everything_once(world: World) -> None:
    def ahead() -> object:
        return world.clock() + timedelta(seconds=90)

    other = replace(world.ctx, clock=ahead)  # type: ignore[arg-type]  # an instant
    numbers = [world.ask(doi=doi).number for doi in ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002")]
    for _ in range(12):
        for ctx in (other, world.ctx):
            for job in sweep(ctx)[:1]:
                run_job(ctx, job, lambda *_: None)
        world.clock.move(timedelta(seconds=20))

    assert [world.get(number).state for number in numbers] == [State.SUPPLIED] * 2
    assert [world.kinds(number).count("copy:supplied") for number in numbers] == [1, 1]
    world.clock.move(timedelta(seconds=90))
    assert violations(world) == []


def test_a_link_ends_by_the_clock_and_a_clock_that_went_back_does_not_open_it_again_once_it_was_closed(
    world: World,
) -> None:
    number = world.ask().number
    world.work()
    delivery = world.delivery(number)
    assert delivery.expires_at is not None
    token = world.ctx.links.sign(delivery.number)
    world.clock.now = delivery.expires_at - timedelta(seconds=1)
    assert downloading.look(world.ctx, token).state is LinkState.LIVE
    world.clock.now = delivery.expires_at
    assert downloading.look(world.ctx, token).state is not LinkState.LIVE
    expiring.expire_links(world.ctx)
    world.clock.move(timedelta(days=-2))

    assert downloading.look(world.ctx, token).state is not LinkState.LIVE


BAD = b"%PDF-1.7 and no more"


class Broken:
    """A source that holds what the real one holds, in whose hands the clock jumps, and whose files are none."""

    def __init__(self, real: Fetcher, jump: Callable[[], None]) -> None:
        self.asked, self._jump = 0, jump
        self.find = real.find

    def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
        """Jump at the first time, and give what cannot be read."""
        self.asked += 1
        if self.asked == 1:
            self._jump()
        into.write_bytes(BAD)
        return Fetched(into, len(BAD), hashlib.sha256(BAD).hexdigest())


def broken(world: World, jump: timedelta) -> tuple[World, Broken]:
    with world.store.read() as work:
        real = world.ctx.fetcher(work.sources.get("collection"))
    source = Broken(real, lambda: world.clock.move(jump))
    return replace(world, ctx=replace(world.ctx, fetcher=lambda _: source)), source


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_clock_that_jumps_in_the_middle_of_a_search_asks_each_source_once(world: World, jump: timedelta) -> None:
    jumping, source = broken(world, jump)
    number = jumping.ask().number
    run_due(jumping)
    world.clock.move(abs(jump))
    run_due(jumping)

    assert source.asked == 1
    assert world.get(number).state is State.AT_DESK


def test_another_round_of_looking_asks_all_sources_again_whatever_the_clock_says(world: World) -> None:
    jumping, source = broken(world, timedelta(hours=1))
    number = jumping.ask().number
    run_due(jumping)
    world.clock.move(timedelta(days=-1))
    desk.search_again(jumping.ctx, world.librarian, number)
    run_due(jumping)
    world.clock.move(timedelta(days=2))
    run_due(jumping)

    assert source.asked == 2


def test_a_round_that_an_earlier_release_began_goes_on_where_it_was(world: World) -> None:
    jumping, source = broken(world, timedelta(seconds=1))
    number = jumping.ask().number
    run_job(jumping.ctx, sweep(jumping.ctx)[0], lambda *_: None)
    with world.store.write() as work:
        request = work.requests.lock(number)
        found = {name: value for name, value in request.found.items() if name != "tried"}
        work.requests.save(replace(request, found=found))
    run_due(jumping)

    assert source.asked == 1
    assert world.get(number).state is State.AT_DESK
