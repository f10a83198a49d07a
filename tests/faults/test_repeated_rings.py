"""Every ring comes three times, in any order, to several workers at once: each thing is done once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.lifecycle import State
from delivery.services.context import Context
from delivery.services.working import Report, run_along, run_job, sweep
from tests.faults.counts import REPEATED_RINGS
from tests.faults.installation import Installation, installation, violations

Run = Callable[[Context, int, Report], bool]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]


def work_through(installed: Installation, rings: list[int], workers: int, chance: random.Random, run: Run) -> int:
    """Ring for every job three times, and for those that come of them, until nothing is left; how many rings that were."""
    rung, ctx = 0, installed.world.ctx
    while rings:
        given = rings * 3
        rings.clear()
        chance.shuffle(given)
        rung += len(given)
        installed.world.clock.now = datetime.now(UTC)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda job: run(ctx, job, lambda *_: None), given))
        # Nobody rings for what a worker goes on with itself; where it does not, the sweeper does.
        rings += [job for job in sweep(ctx) if job not in rings]
    return rung


@pytest.mark.parametrize(("run", "jobs"), [(run_job, 3), (run_along, 1)], ids=["step by step", "along"])
def test_rings_that_come_thrice_and_out_of_order_do_everything_once(
    tmp_path: Path, collection: Path, run: Run, jobs: int
) -> None:
    chance = random.Random(datetime.now(UTC).toordinal())
    rung = 0
    with installation(tmp_path, collection, 2 * REPEATED_RINGS.now) as installed:
        rings: list[int] = []
        installed.world.store.ring = rings.append
        for turn in range(REPEATED_RINGS.now):
            installed.world.clock.now = datetime.now(UTC)
            for doi in (f"10.5555/many.{2 * turn}", f"10.5555/many.{2 * turn + 1}"):
                installed.numbers.append(installed.world.ask(doi=doi).number)
            rung += work_through(installed, rings, 2 + turn % 7, chance, run)

        with installed.world.store.read() as work:
            copies = [work.deliveries.of_request(number) for number in installed.numbers]
        letters = Counter(letter.message_id for letter in installed.world.post.letters)
        assert rung >= 3 * jobs * len(installed.numbers)
        assert installed.states() == {State.SUPPLIED: len(installed.numbers)}
        assert [len(made) for made in copies] == [1] * len(installed.numbers)
        assert letters == Counter({made[0].message_id: 1 for made in copies})
        assert violations(installed.world) == []
