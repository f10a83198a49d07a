"""A bucket that answers 503, is slow, breaks off or gives back other bytes: nothing wrong is delivered, and nothing is lost."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from delivery.copies import CopyState, Delivery
from delivery.errors import Unavailable
from delivery.jobs import CHECK, NewJob
from delivery.lifecycle import State
from delivery.services import checking
from delivery.services.working import run_job, sweep
from tests.faults.counts import BUCKETS, SOAK
from tests.faults.installation import violations
from tests.services.cutting_proxy import CuttingProxy, cutting_proxy
from tests.services.s3 import S3Server
from tests.storage.test_blobs import bucket_of
from tests.world import World, make_world

DOIS = ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002", "10.5555/lantern.2019.0003")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200 if SOAK else 300)]


def in_bucket(folder: Path, collection: Path, s3: S3Server, proxy: CuttingProxy) -> World:
    bucket = bucket_of(s3, endpoint=proxy.endpoint)
    settings = {"s3_access_key": bucket.access_key, "s3_secret_key": bucket.secret_key}
    url = f"s3://{bucket.name}/{bucket.prefix}"
    return make_world(folder, collection, blob_url=url, s3_endpoint=bucket.endpoint, **settings)


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[CuttingProxy]:
    with cutting_proxy(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture
def world(tmp_path: Path, collection: Path, s3: S3Server, proxy: CuttingProxy) -> Iterator[World]:
    world = in_bucket(tmp_path / "home", collection, s3, proxy)
    yield world
    world.close()


def trouble(proxy: CuttingProxy, kind: str, chance: random.Random) -> None:
    """Put the bucket in trouble for the next requests."""
    proxy.refusals = proxy.cuts = proxy.spoils = 0
    proxy.delay = 0.3 if kind == "slow" else 0.0
    if kind == "refuses":
        proxy.refusals = chance.randint(4, 12)
    elif kind == "breaks off":
        proxy.cuts, proxy.after = 6, chance.randint(100, 9_000)
    elif kind == "lies":
        proxy.spoils = chance.randint(1, 2)


@pytest.mark.parametrize("kind", ["refuses", "breaks off", "lies", "slow"])
def test_a_bucket_in_trouble_delays_and_never_gives_a_wrong_copy(
    tmp_path: Path, collection: Path, s3: S3Server, kind: str
) -> None:
    chance = random.Random(datetime.now(UTC).toordinal())
    with cutting_proxy(s3.endpoint) as proxy:
        world = in_bucket(tmp_path / "home", collection, s3, proxy)
        numbers = []
        for at in range(BUCKETS.now):
            trouble(proxy, kind, chance)
            numbers.append(world.ask(doi=DOIS[at % 3]).number)
            for _ in range(8):
                for job in sweep(world.ctx):
                    run_job(world.ctx, job, lambda *_: None)
            trouble(proxy, "", chance)
            for _ in range(8):
                world.clock.move(timedelta(minutes=1))
                for job in sweep(world.ctx):
                    run_job(world.ctx, job, lambda *_: None)
        troubles = proxy.done

        assert troubles > 0 or kind == "slow", "the bucket was in no trouble: nothing is shown"
        assert [world.get(number).state for number in numbers] == [State.SUPPLIED] * len(numbers)
        assert violations(world) == []
        world.close()


def test_a_copy_is_broken_off_or_put_off_and_never_spoilt_while_the_bucket_is_in_trouble(
    world: World, proxy: CuttingProxy
) -> None:
    number = world.ask().number
    world.work()
    good = world.copy(number)
    proxy.refusals = 50
    assert world.copy(number) == good, "what lies in the cache needs no bucket"
    world.ctx.copies.sweep(math.inf)
    with pytest.raises(Unavailable) as away:
        world.copy(number)
    proxy.refusals = 0

    proxy.spoils = 1
    with pytest.raises(Unavailable, match="other bytes"):
        b"".join(world.ctx.blobs.open(world.delivery(number).blob))

    world.ctx.copies.sweep(math.inf)
    proxy.spoils = 1
    with pytest.raises(Unavailable, match="other bytes"):
        world.copy(number)
    assert world.copy(number) == good, "what was spoilt on the way must not stay in the cache"
    world.ctx.copies.sweep(math.inf)
    proxy.cuts, proxy.after, proxy.spoils = 1, 5_000, 2  # what comes after the break is a part, with no checksum
    with pytest.raises(Unavailable, match="other bytes"):
        world.copy(number)

    assert away.value.retry_after > 0
    proxy.cuts, proxy.after = 2, 5_000
    world.ctx.copies.sweep(math.inf)
    assert world.copy(number) == good
    assert proxy.done > 2


def checked(world: World, number: str, troubles: list[str], proxy: CuttingProxy) -> None:
    """The later check of a copy, at each attempt with one of these troubles of the bucket, and then without any."""
    chance = random.Random(1)
    with world.store.write() as work:
        work.jobs.add(NewJob(CHECK, f"check:{number}", {"delivery": number}), world.clock())
    for kind in [*troubles, ""]:
        world.ctx.copies.sweep(math.inf)
        trouble(proxy, kind, chance)
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        world.clock.move(timedelta(minutes=1))


def two_copies(world: World) -> list[Delivery]:
    numbers = [world.ask(reader).number for reader in (world.reader, world.other)]
    world.work()
    return [world.delivery(number) for number in numbers]


def test_a_bucket_that_lies_once_while_a_copy_is_checked_costs_nobody_his_copy(
    world: World, proxy: CuttingProxy
) -> None:
    copies = two_copies(world)

    checked(world, copies[0].number, ["lies", "refuses", "lies"], proxy)

    assert [world.delivery(one.request) for one in copies] == copies
    assert world.kinds(copies[0].request)[-1] == "copy:checked"
    assert proxy.done >= 3


def test_a_copy_whose_master_is_another_in_the_bucket_is_made_anew_once_the_bucket_lets_it(
    world: World, proxy: CuttingProxy, tmp_path: Path
) -> None:
    copies = two_copies(world)
    other = tmp_path / "other.pdf"
    other.write_bytes(bytes(copies[0].base_bytes or 0))
    world.ctx.blobs.remove(copies[0].blob)
    world.ctx.blobs.put(copies[0].blob, other)

    checked(world, copies[0].number, [""] * 3, proxy)

    after = [world.delivery(one.request) for one in copies]
    assert [one.state for one in after] == [CopyState.LIVE] * 2
    assert not {one.master for one in after} & {one.master for one in copies}
    assert all(world.copy(one.request).startswith(b"%PDF") for one in copies)


def test_a_faulty_copy_waits_for_a_bucket_that_is_away_before_it_is_withdrawn(
    world: World, proxy: CuttingProxy
) -> None:
    (copy, _) = two_copies(world)
    anew = partial(checking.make_anew, world.ctx, copy.number, copy.master, "output-invalid", lambda: None)
    proxy.refusals = 1_000

    with pytest.raises(Unavailable):
        anew(waits=checking.PASSING)
    waiting = world.delivery(copy.request)
    anew()

    assert waiting == copy
    assert world.delivery(copy.request).state is CopyState.REVOKED


def test_a_check_that_is_tried_again_tells_its_verdict_once(world: World, proxy: CuttingProxy, tmp_path: Path) -> None:
    copy, _ = two_copies(world)
    other = tmp_path / "other.pdf"
    other.write_bytes(bytes(copy.base_bytes or 0))
    world.ctx.blobs.remove(copy.blob)
    world.ctx.blobs.put(copy.blob, other)

    for attempt in (checking.SURE, checking.SURE + 1):  # the bucket gives what is stored, and then nothing more
        world.ctx.copies.sweep(math.inf)
        with pytest.raises(Unavailable):
            checking.check_copy(world.ctx, copy.number, partial(refuse, proxy), attempt)
        proxy.refusals = 0

    assert world.kinds(copy.request).count("copy:checked") == 1


def refuse(proxy: CuttingProxy) -> None:
    """Let the bucket refuse from now on."""
    proxy.refusals = 1_000
