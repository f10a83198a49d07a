"""The broker is away, hangs, is killed or forgets everything: the workers do all the same what was accepted, and hear again later."""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from admin.bell import CeleryBell
from admin.celery_app import QUEUE, make_celery
from tests.conftest import or_skip
from tests.faults.counts import BROKERS, LOST_BROKERS, SOAK
from tests.flows.test_brokers import supplied, waiting_world, worker
from tests.services.processes import free_port, running, wait_until
from tests.services.redis import redis_on
from tests.world import World


def ask(world: World) -> str:
    """A request whose jobs are due at once for the worker's real clock."""
    number = world.ask().number
    world.clock.move(timedelta(seconds=1))
    return number


def ringing_world(folder: Path, collection: Path, broker: str) -> World:
    world = waiting_world(folder, collection)
    world.store.ring = CeleryBell(make_celery(broker)).ring
    return world


def sends(broker: str) -> bool:
    """Whether the broker takes a ring."""
    bell = CeleryBell(make_celery(broker))
    bell.ring(0)
    return bell.flush(20) and bell.taken_at > 0


@pytest.mark.parametrize("broker", ["amqp://guest:guest@127.0.0.1:9//", "redis://127.0.0.1:9/0"])
def test_a_worker_whose_broker_is_away_from_the_start_delivers(tmp_path: Path, collection: Path, broker: str) -> None:
    world = waiting_world(tmp_path / "home", collection)
    numbers = [ask(world) for _ in range(3)]

    with worker(tmp_path / "home", broker):
        assert all(supplied(world, number) for number in numbers)


@pytest.mark.service
@pytest.mark.timeout(3_600 if SOAK else 300)
def test_a_redis_that_hangs_and_forgets_and_is_killed_loses_nothing(tmp_path: Path, collection: Path) -> None:
    port = free_port()
    broker, home = f"redis://127.0.0.1:{port}/0", tmp_path / "home"
    world = ringing_world(home, collection, broker)
    with or_skip() as stack:
        server = stack.enter_context(redis_on(port))
        stack.enter_context(worker(home, broker))
        assert supplied(world, ask(world))

        for _ in range(BROKERS.now):
            numbers = [ask(world) for _ in range(3)]
            redis.Redis.from_url(broker).flushall()
            assert all(supplied(world, number) for number in numbers)

        for _ in range(LOST_BROKERS.now):
            os.killpg(server.pid, signal.SIGSTOP)
            assert supplied(world, ask(world))
            os.killpg(server.pid, signal.SIGCONT)

            number = ask(world)
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            assert supplied(world, number)
            server = stack.enter_context(redis_on(port))
            assert supplied(world, ask(world))
            assert sends(broker)


@pytest.mark.timeout(3_600 if SOAK else 300)
def test_a_rabbitmq_whose_queue_is_taken_away_under_the_worker_loses_nothing(
    tmp_path: Path, collection: Path, rabbitmq_url: str
) -> None:
    home = tmp_path / "home"
    world = ringing_world(home, collection, rabbitmq_url)
    with worker(home, rabbitmq_url):
        assert supplied(world, ask(world))
        for _ in range(BROKERS.now):
            with Connection(rabbitmq_url) as connection:
                channel: Any = connection.default_channel
                channel.queue_delete(QUEUE)

            assert all(supplied(world, ask(world)) for _ in range(2))
            assert sends(rabbitmq_url)


def test_rabbitmq_is_asked_for_a_durable_queue_that_ends_the_ringing(rabbitmq_url: str) -> None:
    assert sends(rabbitmq_url)
    with Connection(rabbitmq_url) as connection:
        channel: Any = connection.default_channel
        wanted = {"x-queue-type": "quorum", "x-delivery-limit": 10}

        assert channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=wanted).queue == QUEUE


@pytest.mark.parametrize("broker", ["", "amqp://127.0.0.1//", "redis://127.0.0.1/0"])
def test_a_message_is_kept_until_its_job_is_done_and_is_plain_json(broker: str) -> None:
    conf = make_celery(broker).conf

    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert (list(conf.accept_content), conf.task_serializer, conf.result_accept_content) == (["json"], "json", ["json"])
    assert conf.task_ignore_result is True


def test_each_broker_has_the_options_that_keep_it_from_losing_or_repeating_rings() -> None:
    rabbit, store = make_celery("amqp://127.0.0.1//").conf, make_celery("redis://127.0.0.1/0").conf

    assert rabbit.broker_transport_options["confirm_publish"] is True
    assert rabbit.worker_detect_quorum_queues is True
    options = store.broker_transport_options
    assert options["visibility_timeout"] == 900
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)


def test_nothing_is_scheduled_in_the_broker() -> None:
    root = Path(__file__).parents[2]
    sources = [path.read_text(encoding="utf-8") for path in (root / "admin").rglob("*.py")]

    assert not [source for source in sources if "countdown=" in source or "eta=" in source]


def test_a_worker_that_hears_nothing_while_rings_are_taken_begins_anew(
    tmp_path: Path, collection: Path, redis_url: str
) -> None:
    home, log = tmp_path / "home", tmp_path / "log"
    world = ringing_world(home, collection, redis_url)
    settings = {"RUSHLIGHT_HOME": str(home), "RUSHLIGHT_BROKER_URL": redis_url, "RUSHLIGHT_WATCHDOG_SECONDS": "5"}
    command = [sys.executable, "-m", "tests.flows.deaf_worker"]

    with running(command, Path.cwd(), log, settings) as process:
        wait_until(lambda: b"deaf" in log.read_bytes(), process, log)
        assert supplied(world, ask(world))
        assert supplied(world, ask(world))
        wait_until(lambda: _ask_and(world, log, b"hearing"), process, log)
        assert supplied(world, ask(world))

    assert log.read_bytes().split().count(b"deaf") == 1


def _ask_and(world: World, log: Path, word: bytes) -> bool:
    assert supplied(world, ask(world))
    return word in log.read_bytes()
