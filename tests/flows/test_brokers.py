"""A worker process behind a real broker does the whole job, and loses nothing when the broker forgets everything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from admin.bell import CeleryBell
from admin.celery_app import make_celery
from delivery.lifecycle import State
from tests.world import World, make_world

SECONDS = 60


def started(home: Path, broker: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "RUSHLIGHT_HOME": str(home), "RUSHLIGHT_BROKER_URL": broker}
    with (home / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "admin.cli", "worker"], env=environment, stdout=log, stderr=log)


@contextmanager
def worker(home: Path, broker: str) -> Iterator[None]:
    process = started(home, broker)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()  # or it would be counted against another test
            process.wait()


def waiting_world(folder: Path, collection: Path) -> World:
    world = make_world(folder, collection)
    world.clock.now = world.clock.now.replace(year=2020)  # due at once for the worker's real clock
    return world


def supplied(world: World, number: str) -> bool:
    end = time.monotonic() + SECONDS
    while world.get(number).state is not State.SUPPLIED and time.monotonic() < end:
        time.sleep(0.1)
    return world.get(number).state is State.SUPPLIED


def test_a_worker_on_rabbitmq_delivers(tmp_path: Path, collection: Path, rabbitmq_url: str) -> None:
    world = waiting_world(tmp_path / "home", collection)
    number = world.ask().number

    with worker(tmp_path / "home", rabbitmq_url):
        assert supplied(world, number)


def test_an_idle_worker_on_rabbitmq_ends_when_it_is_told_to(
    tmp_path: Path, collection: Path, rabbitmq_url: str
) -> None:
    home = waiting_world(tmp_path / "home", collection).services.settings.home
    process = started(home, rabbitmq_url)
    try:
        end = time.monotonic() + SECONDS
        while b"worker is ready" not in (home / "worker.log").read_bytes() and time.monotonic() < end:
            time.sleep(0.1)
        process.terminate()

        assert process.wait(8) == 0  # its loop looks up by itself only every 10 s
    finally:
        process.kill()
        process.wait()


def test_a_worker_on_redis_delivers(tmp_path: Path, collection: Path, redis_url: str) -> None:
    world = waiting_world(tmp_path / "home", collection)
    number = world.ask().number

    with worker(tmp_path / "home", redis_url):
        assert supplied(world, number)


def test_work_whose_ring_the_broker_lost_is_done_all_the_same(tmp_path: Path, collection: Path, redis_url: str) -> None:
    world = waiting_world(tmp_path / "home", collection)
    ring = CeleryBell(make_celery(redis_url)).ring
    numbers = [world.ask().number for _ in range(3)]
    for job in range(1, 4):
        ring(job)
    redis.Redis.from_url(redis_url).flushall()

    with worker(tmp_path / "home", redis_url):
        assert all(supplied(world, number) for number in numbers)


@pytest.mark.parametrize("broker", ["amqp://guest:guest@127.0.0.1:9//", "redis://127.0.0.1:9/0"])
def test_asking_does_not_wait_for_a_broker_that_is_away(tmp_path: Path, collection: Path, broker: str) -> None:
    from admin.wiring import build_services
    from delivery.services import requesting
    from delivery.services.requesting import Asked

    world = make_world(tmp_path / "home", collection)
    services = build_services(world.services.settings, CeleryBell(make_celery(broker)).ring)

    asked = requesting.submit(services.ctx, world.reader, Asked({"doi": "10.5555/lantern.2021.0001"}))

    assert world.get(asked.request.number).state is State.NEW
