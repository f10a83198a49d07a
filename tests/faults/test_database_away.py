"""PostgreSQL is stopped at once, paused, or ends connections in the middle: people see 503 with advice, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from delivery.errors import DeliveryError
from delivery.lifecycle import State
from delivery.services.working import run_job, sweep
from tests.conftest import or_skip
from tests.faults.counts import DATABASE, SOAK
from tests.faults.installation import Installation, installation
from tests.flows.test_pages import bearer
from tests.services.postgres import OwnPostgres, fresh_database, own_postgres

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(7_200 if SOAK else 400)]
SECONDS = 60
Fault = Callable[[OwnPostgres, str], None]


def stopped(server: OwnPostgres, database: str) -> None:
    """As pg_ctl stop -m immediate, and started again after a moment."""
    server.stop(signal.SIGQUIT)
    time.sleep(1)
    server.start()


def paused(server: OwnPostgres, database: str) -> None:
    """All its processes stand still for a while."""
    pids = server.processes()
    for pid in pids:
        subprocess.run(["kill", "-STOP", str(pid)], check=False)
    time.sleep(3)
    for pid in pids:
        subprocess.run(["kill", "-CONT", str(pid)], check=False)


def cut(server: OwnPostgres, database: str) -> None:
    """Every connection is ended from the server's side, in whatever it was doing, several times."""
    for _ in range(10):
        with psycopg.connect(server.url, autocommit=True) as connection:
            name = make_url(database).database
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        time.sleep(0.1)


class Traffic:
    """A reader who asks over the API and a worker, both without a pause."""

    def __init__(self, installed: Installation) -> None:
        self.installed, self.statuses, self.bad = installed, set[int](), list[str]()
        self._client = installed.world.reader_app().test_client()
        self._told = bearer(installed.world)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._ask, self._work)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        at = 0
        while not self._end.is_set():
            told = {**self._told, "Idempotency-Key": f"key-{at}"}
            answer = self._client.post(
                "/api/v1/requests", json={"citation": {"doi": f"10.5555/many.{at}"}}, headers=told
            )
            self.statuses.add(answer.status_code)
            if answer.status_code == 202:
                self.installed.numbers.append(str((answer.json or {})["number"]))
                at += 1
            elif answer.status_code != 503 or not answer.headers.get("Retry-After"):
                self.bad.append(f"{answer.status_code} {answer.get_data(as_text=True)[:200]}")
            self._end.wait(0.05)

    def _work(self) -> None:
        while not self._end.wait(0.05):
            try:
                for job in sweep(self.installed.world.ctx, 5):
                    run_job(self.installed.world.ctx, job, lambda *_: None)
            except DeliveryError:
                continue  # as the worker and its sweeper do

    def flows(self) -> bool:
        """Whether one more request is taken soon."""
        end, before = time.monotonic() + SECONDS, len(self.installed.numbers)
        while len(self.installed.numbers) == before and time.monotonic() < end:
            time.sleep(0.05)
        return len(self.installed.numbers) > before

    def close(self) -> None:
        """Stop asking."""
        self._end.set()
        for thread in self._threads:
            thread.join(SECONDS)


def come_to_rest(installed: Installation) -> None:
    world = installed.world
    for _ in range(40):
        world.clock.move(timedelta(minutes=2))
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        if installed.ended():
            return


@pytest.mark.parametrize("fault", [stopped, paused, cut])
def test_a_database_in_trouble_is_a_503_with_advice_and_loses_nothing(
    tmp_path: Path, collection: Path, fault: Fault
) -> None:
    with or_skip() as stack:
        server = stack.enter_context(own_postgres())
        database = stack.enter_context(fresh_database(server.url))
        installed = stack.enter_context(installation(tmp_path, collection, 400, database))
        traffic = Traffic(installed)
        try:
            for _ in range(DATABASE.now):
                assert traffic.flows()
                fault(server, database)
                assert traffic.flows()
        finally:
            traffic.close()
        come_to_rest(installed)

        print(f"{fault.__name__}: {DATABASE.now} times, {len(installed.numbers)} requests, {traffic.statuses}")
        assert traffic.bad == []
        assert installed.states() == {State.SUPPLIED: len(installed.numbers)}
        assert installed.violations() == []
