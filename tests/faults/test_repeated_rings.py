"""Every ring comes three times, in any order, to several workers at once: each thing is done once."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.lifecycle import State
from delivery.services.working import run_job
from tests.faults.counts import REPEATED_RINGS
from tests.faults.installation import Installation, installation, violations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]


def work_through(installed: Installation, rings: list[int], workers: int, chance: random.Random) -> int:
    """Ring for every job three times, and for those that come of them, until nothing is left; how many rings that were."""
    rung = 0
    while rings:
        given = rings * 3
        rings.clear()
        chance.shuffle(given)
        rung += len(given)
        installed.world.clock.now = datetime.now(UTC)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda job: run_job(installed.world.ctx, job, lambda *_: None), given))
    return rung


def test_rings_that_come_thrice_and_out_of_order_do_everything_once(tmp_path: Path, collection: Path) -> None:
    chance = random.Random(datetime.now(UTC).toordinal())
    rung = 0
    with installation(tmp_path, collection, 2 * REPEATED_RINGS.now) as installed:
        rings: list[int] = []
        installed.world.store.ring = rings.append
        for turn in range(REPEATED_RINGS.now):
            installed.world.clock.now = datetime.now(UTC)
            for doi in (f"10.5555/many.{2 * turn}", f"10.5555/many.{2 * turn + 1}"):
                installed.numbers.append(installed.world.ask(doi=doi).number)
            rung += work_through(installed, rings, 2 + turn % 7, chance)

        with installed.world.store.read() as work:
            copies = [work.deliveries.of_request(number) for number in installed.numbers]
        letters = Counter(letter.message_id for letter in installed.world.post.letters)
        assert rung >= 3 * 3 * len(installed.numbers)
        assert installed.states() == {State.SUPPLIED: len(installed.numbers)}
        assert [len(made) for made in copies] == [1] * len(installed.numbers)
        assert letters == Counter({made[0].message_id: 1 for made in copies})
        assert violations(installed.world) == []
