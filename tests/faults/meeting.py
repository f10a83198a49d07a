"""Two who change the same thing at the same moment, on PostgreSQL: the one stands before its commit until the other waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import text

from delivery.errors import DeliveryError
from tests.world import World

LONGEST = 30.0
"""Seconds for the second one to come as far as it can."""
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def told(act: Callable[[], object]) -> object:
    """What somebody gets: what was returned, or the code of the error."""
    try:
        return act()
    except DeliveryError as error:
        return error.code


def until_it_waits(world: World, other: Future[object]) -> None:
    """Return when the other one is done, or stands in the database behind a lock."""
    end = time.monotonic() + LONGEST
    with world.services.engine.connect() as connection:
        while not other.done() and not connection.scalar(WAITING):
            connection.rollback()
            assert time.monotonic() < end, "the other one neither waits nor ends"
            time.sleep(0.005)


def at_the_same_moment(
    world: World, step: str, first: Callable[[], object], second: Callable[[], object]
) -> tuple[object, object]:
    """What both get, where the second begins when the first has done all of its transaction with this step but the commit."""
    begun: list[Future[object]] = []
    with ThreadPoolExecutor(1) as pool:

        def passing(steps: Sequence[str], at: str) -> None:
            if step in steps and at == "before" and not begun:
                begun.append(pool.submit(told, second))
                until_it_waits(world, begun[0])

        world.store.passing = passing
        answer = told(first)
        world.store.passing = None
        assert begun, f"nothing was done by the name of {step}"
        return answer, begun[0].result()
