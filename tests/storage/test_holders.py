"""A job of a dead process is free at once; a job of a living one is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from storage.holders import is_gone, this_process
from tests.world import World

ROOT = Path(__file__).parents[2]
NAME = "from storage.holders import this_process; print(this_process())"


def name_of_a_dead_process() -> str:
    return subprocess.run(
        [sys.executable, "-c", NAME], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_living_process_is_not_gone_and_a_dead_one_is() -> None:
    assert not is_gone(this_process())
    assert is_gone(name_of_a_dead_process())


def test_a_process_that_got_the_number_of_a_dead_one_is_not_taken_for_it() -> None:
    place, pid, started = this_process().rsplit("/", 2)

    assert is_gone(f"{place}/{pid}/{int(started) - 1}")


def test_of_a_process_elsewhere_nothing_is_known() -> None:
    assert not is_gone("other-host/0000/1/99999999/1")
    assert not is_gone("")


def test_the_jobs_of_a_dead_worker_are_taken_at_once_and_those_of_a_living_one_are_left(world: World) -> None:
    world.ask()
    world.ask(doi="10.5555/lantern.2022.0002")
    with world.store.write() as work:
        mine, dead = work.jobs.due(world.clock(), 2)
        work.jobs.claim(mine, world.clock())
        work.jobs.claim(dead, world.clock())
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE jobs SET holder = ? WHERE id = ?", (name_of_a_dead_process(), dead))

    with world.store.write() as work:
        freed = work.jobs.free_gone(world.clock())

    with world.store.read() as work:
        assert freed == 1
        assert work.jobs.due(world.clock(), 5) == (dead,)
