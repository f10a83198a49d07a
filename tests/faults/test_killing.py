"""kill -9 of the serving process: everything that was accepted still ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from delivery.lifecycle import State
from tests.faults.counts import SHORT_LEASE
from tests.world import World, make_world

REQUESTS = 30
KILLS = 6
SECONDS, START_SECONDS = 90, 30
"""How long the last server may take for what is left, and how long each may take to start on a busy machine."""


def serve(home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "RUSHLIGHT_HOME": str(home), "RUSHLIGHT_READER_PORT": "0", "RUSHLIGHT_STAFF_PORT": "0"}
    environment["RUSHLIGHT_LEASE_SECONDS"] = SHORT_LEASE
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "admin.cli", "serve"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def kill(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def ended(world: World) -> int:
    with world.store.read() as work:
        counts = work.requests.counts()
    return counts[State.SUPPLIED] + counts[State.REFUSED]


@pytest.mark.slow
@pytest.mark.timeout(KILLS * START_SECONDS + SECONDS + 60)
def test_nothing_is_lost_or_delivered_twice_when_the_server_is_killed(tmp_path: Path, collection: Path) -> None:
    world = make_world(tmp_path / "home", collection)
    world.clock.now = world.clock.now.replace(year=2020)  # every job is due at once for the real clock
    numbers = [world.ask().number for _ in range(REQUESTS)]
    home, chance = tmp_path / "home", random.Random(7)
    for _ in range(KILLS):
        server = serve(home)
        end = time.monotonic() + START_SECONDS
        while not (home / "serving.json").exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(chance.uniform(0.1, 0.8))
        kill(server)
        (home / "serving.json").unlink(missing_ok=True)
    assert ended(world) < REQUESTS, "nothing was left to lose: the kills came too late"
    server = serve(home)
    try:
        end = time.monotonic() + SECONDS
        while ended(world) < REQUESTS and time.monotonic() < end:
            time.sleep(0.2)
    finally:
        kill(server)

    with world.store.read() as work:
        made = [len(work.deliveries.of_request(number)) for number in numbers]
        filled = [work.ledger.record(f"{number}/1") for number in numbers]
    assert made == [1] * REQUESTS
    assert all(record is not None and record.status == "filled" for record in filled)
    assert world.ctx.check_log().whole
