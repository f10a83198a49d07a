"""PostgreSQL is stopped at once, paused, or ends connections in the middle: people see 503 with advice, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import Counter
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
SHORT = {"database_statement_seconds": "1", "database_connect_seconds": "2"}


class Traffic:
    """A reader who asks over the API and a worker, both without a pause."""

    def __init__(self, installed: Installation) -> None:
        self.installed, self.statuses, self.bad = installed, list[int](), list[str]()
        self.failed_jobs = 0
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
            self.statuses.append(answer.status_code)
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
                self.failed_jobs += 1  # the worker and its sweeper go on, too

    def flows(self) -> bool:
        """Whether one more request is taken soon."""
        end, before = time.monotonic() + SECONDS, len(self.installed.numbers)
        while len(self.installed.numbers) == before and time.monotonic() < end:
            time.sleep(0.05)
        return len(self.installed.numbers) > before

    def hears(self) -> bool:
        """Whether both, the reader and the worker, hear soon that the database does not answer."""
        end, refused, failed = time.monotonic() + SECONDS, self.statuses.count(503), self.failed_jobs
        while time.monotonic() < end:
            if self.statuses.count(503) > refused and self.failed_jobs > failed:
                return True
            time.sleep(0.05)
        return False

    def close(self) -> None:
        """Stop asking."""
        self._end.set()
        for thread in self._threads:
            thread.join(SECONDS)


Fault = Callable[[OwnPostgres, str, Traffic], None]


def stopped(server: OwnPostgres, database: str, traffic: Traffic) -> None:
    """As pg_ctl stop -m immediate, and started again after a moment."""
    server.stop(signal.SIGQUIT)
    time.sleep(1)
    server.start()


def paused(server: OwnPostgres, database: str, traffic: Traffic) -> None:
    """All its processes stand still; nobody goes on before everybody has been told so."""
    pids = server.processes()
    for pid in pids:
        subprocess.run(["kill", "-STOP", str(pid)], check=False)
    try:
        assert traffic.hears(), "somebody waits for a server that stands still"
    finally:
        for pid in pids:
            subprocess.run(["kill", "-CONT", str(pid)], check=False)


def cut(server: OwnPostgres, database: str, traffic: Traffic) -> None:
    """Every connection is ended from the server's side, in whatever it was doing, several times."""
    for _ in range(10):
        with psycopg.connect(server.url, autocommit=True) as connection:
            name = make_url(database).database
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        time.sleep(0.1)


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
        installed = stack.enter_context(installation(tmp_path, collection, 400, database, **SHORT))
        traffic = Traffic(installed)
        try:
            for _ in range(DATABASE.now):
                assert traffic.flows()
                fault(server, database, traffic)
                assert traffic.flows()
        finally:
            traffic.close()
        come_to_rest(installed)

        print(f"{fault.__name__}: {DATABASE.now} times, {len(installed.numbers)} requests, {Counter(traffic.statuses)}")
        assert traffic.bad == []
        assert installed.states() == {State.SUPPLIED: len(installed.numbers)}
        assert installed.violations() == []
