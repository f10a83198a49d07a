"""The same work and the same race on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from delivery.lifecycle import State
from tests.world import LIMITED, make_world


def test_a_request_is_supplied_and_a_limit_holds_against_many_at_once(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    number = world.ask().number
    world.work()
    assert world.get(number).state is State.SUPPLIED
    world.load(LIMITED.format(most=3, per="entity", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])

    with ThreadPoolExecutor(12) as pool:
        states = list(pool.map(lambda _: world.ask().state, range(40)))

    assert states.count(State.NEW) == 3
    assert world.ctx.check_log().whole
    world.services.engine.dispose()
