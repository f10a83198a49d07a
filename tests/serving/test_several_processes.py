"""Several serving processes on one SQLite: each takes requests and works, and one of them may die."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from admin.fsck.examining import examine, patience_of
from delivery.lifecycle import State
from tests.flows.test_pages import bearer
from tests.services.rushlight_server import rushlight_server
from tests.world import make_world

DOI = ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002", "10.5555/lantern.2019.0003")
SECONDS = 90


def test_two_processes_take_requests_at_once_and_one_is_killed_and_all_is_delivered_once(
    tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection)
    world.clock.now = datetime.now(UTC)
    with rushlight_server(tmp_path / "home", web_processes="2", lease_seconds="3") as served:

        def ask(at: int) -> str:
            answer = httpx.post(
                f"http://127.0.0.1:{served.port}/api/v1/requests",
                json={"citation": {"doi": DOI[at % 3]}, "deliberate": True},
                headers={**bearer(world), "Idempotency-Key": f"two-{at}"},
                timeout=30,
                trust_env=False,
            )
            assert answer.status_code == 202, answer.text
            return str(answer.json()["number"])

        first, second = served.workers
        with ThreadPoolExecutor(6) as pool:
            numbers = list(pool.map(ask, range(12)))
        os.kill(first, signal.SIGKILL)
        numbers.append(ask(12))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and any(world.get(one).state is not State.SUPPLIED for one in numbers):
            time.sleep(0.2)
        left = served.workers

    with world.store.read() as work:
        copies = [work.deliveries.of_request(number) for number in numbers]
    assert [len(made) for made in copies] == [1] * len(numbers)
    assert second in left
    assert first not in left
    assert len(left) == 2
    world.clock.now = datetime.now(UTC)
    assert not list(examine(world.services, patience_of(world.services, timedelta(hours=1))))
    world.close()
