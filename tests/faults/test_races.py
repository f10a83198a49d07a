"""Many at once: threads and processes at the last slot and the last open."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from delivery.errors import Conflict
from delivery.lifecycle import State
from delivery.services import downloading
from delivery.services.working import run_job, sweep
from tests.world import LIMITED, World, make_world

MANY = 64


def limited(world: World) -> None:
    world.load(LIMITED.format(most=1, per="entity", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])


def at_once(count: int, what: Callable[[int], object]) -> list[object]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(what, range(count)))


def test_of_sixty_four_requests_for_the_last_slot_exactly_one_wins(world: World) -> None:
    limited(world)

    states = at_once(MANY, lambda _: world.ask().state)

    assert states.count(State.NEW) == 1
    assert states.count(State.REFUSED) == MANY - 1


def test_of_sixty_four_posts_at_the_last_open_exactly_one_wins(world: World) -> None:
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    for _ in range(4):
        downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None)
    nonces = [downloading.look(world.ctx, token).nonce for _ in range(MANY)]

    def press(place: int) -> bool:
        try:
            downloading.open_window(world.ctx, token, nonces[place], None)
        except Conflict:
            return False
        return True

    assert at_once(MANY, press).count(True) == 1


def run_all(world: World, due: Sequence[int], _place: int) -> None:
    for job in due:
        run_job(world.ctx, job, lambda *_: None)


def test_a_job_met_twice_makes_one_delivery(world: World) -> None:
    number = world.ask().number
    while due := sweep(world.ctx):
        at_once(8, partial(run_all, world, due))

    with world.store.read() as work:
        assert len(work.deliveries.of_request(number)) == 1
    assert world.kinds(number).count("quota:settled") == 1


def _ask_in_a_process(home: str, collection: str, results: multiprocessing.Queue[str]) -> None:
    from admin.settings import Settings
    from admin.wiring import build_services
    from delivery.services import requesting
    from delivery.services.requesting import Asked

    services = build_services(Settings(home=Path(home), _env_file=None))
    with services.store.read() as work:
        reader = work.people.by_email("maeve@harbour.example.org")
    assert reader is not None
    for _ in range(4):
        asked = Asked({"doi": "10.5555/lantern.2021.0001"}, deliberate=True)
        results.put(requesting.submit(services.ctx, reader, asked).request.state.value)


def test_processes_cannot_overrun_a_limit_either(tmp_path: Path, collection: Path) -> None:
    world = make_world(tmp_path / "home", collection)
    limited(world)
    world.services.engine.dispose()
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[str] = spawn.Queue()
    workers = [
        spawn.Process(target=_ask_in_a_process, args=(str(tmp_path / "home"), str(collection), results))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    states = [results.get(timeout=90) for _ in range(12)]
    for worker in workers:
        worker.join(30)

    assert states.count("refused") == 11


def test_what_was_read_to_be_changed_is_held_against_programs_that_take_no_turn(world: World) -> None:
    with closing(sqlite3.connect(str(world.services.engine.url.database), timeout=0.1)) as other:
        with world.store.write() as work:
            work.people.get(world.reader.id)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
