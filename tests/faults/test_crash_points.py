"""A worker and a web process die once before and once after each commit and each effect: nothing is lost, doubled or left."""

from __future__ import annotations

import itertools
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from admin.crash_points import MARKS
from delivery.lifecycle import State
from tests.faults.counts import CRASH_ROUNDS, SHORT_LEASE, SOAK
from tests.faults.installation import Installation, installation
from tests.flows.test_pages import bearer
from tests.services.processes import running

FETCHING = (
    "fetch-claimed",
    "request:looked",
    "fetch",
    "store-sources",
    "request:found",
    "fetch-finished",
)
TAIL = (
    "prepare-claimed",
    "prepare",
    "store-masters",
    "master:kept",
    "copy:supplied",
    "prepare-finished",
)
WHOLE = ("prepare-claimed", "make-copy", "store-copies", "copy:supplied", "prepare-finished")
MAILING = ("mail-claimed", "mail", "mail:sent", "mail-finished")
WEB = ("request:created", "window:opened", "ring")
OPEN_AT_ONCE = 2
SECONDS = 1800 if SOAK else 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 100)]


def points(*groups: Sequence[str]) -> list[str]:
    """Each step before and after, and the log's head: by turns from the groups, so that no job meets many deaths in a row."""
    both = [[f"{step}:{phase}" for step in group for phase in ("before", "after")] for group in groups]
    turns = [point for turn in itertools.zip_longest(*both) for point in turn if point]
    return [*turns, "head-kept:after"]


class Driver:
    """Keeps asking while processes die, and takes down when each died."""

    def __init__(self, installed: Installation, order: Sequence[str], ask: Callable[[int], str]) -> None:
        self.installed, self.order, self._ask = installed, order, ask
        self._folder = installed.home / MARKS

    def kills(self) -> list[tuple[float, str]]:
        """When a process died at which point, in order."""
        if not self._folder.exists():
            return []
        return sorted((path.stat().st_mtime, path.name) for path in self._folder.iterdir())

    def next_point(self) -> str:
        """The point at which the next process dies; "" after the last."""
        met = {name for _, name in self.kills()}
        return next((point for point in self.order if point not in met), "")

    def drive(self, tend: Callable[[str], object]) -> None:
        """Ask until every point was met, and wait until all that was asked has ended; ``tend`` hears the next point."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            coming = self.next_point()
            tend(coming)
            waiting = len(self.installed.numbers) - self.installed.states()[State.SUPPLIED]
            if coming and waiting < OPEN_AT_ONCE:
                self.installed.numbers.append(self._ask(len(self.installed.numbers)))
            if not coming and self.installed.ended() and not self._jobs():
                return
            time.sleep(0.1)
        pytest.fail(f"after {SECONDS} s: {self.next_point() or 'all points met'}, {self.installed.states()}")

    def _jobs(self) -> int:
        with self.installed.world.store.read() as work:
            return sum(line.count for line in work.jobs.lines(self.installed.world.ctx.clock()))

    def tell(self) -> None:
        """Say how many died, and how long the work stood still each time: until the next point was reached."""
        at = [when for when, _ in self.kills()]
        pauses = sorted(later - sooner for sooner, later in itertools.pairwise(at))
        p95 = statistics.quantiles(pauses, n=20)[-1]
        print(f"{len(at)} kills, next point after {statistics.median(pauses):.1f} s, p95 {p95:.1f} s")


def environment(home: Path, order: Sequence[str], **more: str) -> dict[str, str]:
    own = {
        "HOME": str(home),
        "TESTING": "1",
        "CRASH_AT": ",".join(order),
        "READER_PORT": "0",
        "STAFF_PORT": "0",
        "LEASE_SECONDS": SHORT_LEASE,
        **more,
    }
    return {**os.environ, **{f"RUSHLIGHT_{name}": value for name, value in own.items()}}


@pytest.mark.parametrize("turn", range(CRASH_ROUNDS.now))
def test_a_worker_that_dies_at_every_point_loses_nothing(tmp_path: Path, collection: Path, turn: int) -> None:
    order = points(FETCHING, TAIL, MAILING)
    with installation(tmp_path, collection, 3 * len(order)) as installed:
        driver = Driver(installed, order, lambda at: installed.world.ask(doi=f"10.5555/many.{at}").number)
        line, log = [sys.executable, "-m", "tests.faults.nursery"], tmp_path / "worker.log"
        with running(line, Path.cwd(), log, environment(installed.home, order, WORKER_THREADS="1")):
            driver.drive(lambda coming: None)
        driver.tell()

        assert len(driver.kills()) == len(order) == 33
        assert installed.wrong() == []


class Reader:
    """A client over HTTP that tries again with the same key until it has an answer, as clients are told to."""

    def __init__(self, installed: Installation) -> None:
        self._installed = installed
        self._told = bearer(installed.world)
        self._pressed: dict[str, str] = {}

    def _base(self) -> str:
        told = json.loads((self._installed.home / "serving.json").read_text(encoding="utf-8"))
        return f"http://127.0.0.1:{told['reader_port']}"

    def ask(self, at: int) -> str:
        """The number of a request that was answered 202."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            with suppress(httpx.TransportError, OSError):
                answer = httpx.post(
                    f"{self._base()}/api/v1/requests",
                    json={"citation": {"doi": f"10.5555/many.{at}"}},
                    headers={**self._told, "Idempotency-Key": f"key-{at}"},
                    timeout=30,
                    trust_env=False,
                )
                if answer.status_code == 202:
                    return str(answer.json()["number"])
                assert answer.status_code in {429, 503}, answer.text
            time.sleep(0.2)
        raise AssertionError("nobody answered")

    def press(self, coming: str) -> None:
        """Open the link of a copy where the next death waits for that, with one nonce until it leads somewhere."""
        if not coming.startswith("window:opened"):
            return
        done = [one for one in self._installed.numbers if self._installed.world.get(one).delivery]
        if not done:
            return
        delivery = self._installed.world.delivery(done[-1]).number
        link = f"{self._base()}/d/{self._installed.world.ctx.links.sign(delivery)}"
        with suppress(httpx.TransportError):
            if delivery not in self._pressed:
                page = httpx.get(link, timeout=30, trust_env=False).text
                found = re.search(r'name="nonce" value="([^"]+)"', page)
                assert found is not None
                self._pressed[delivery] = found[1]
            httpx.post(link, data={"nonce": self._pressed[delivery]}, timeout=30, trust_env=False)

    def opened(self) -> list[tuple[int, int]]:
        """For each link that was pressed: opens that were counted, and the status that its nonce leads to now."""
        found = []
        for delivery, nonce in self._pressed.items():
            link = f"{self._base()}/d/{self._installed.world.ctx.links.sign(delivery)}"
            answer = httpx.post(link, data={"nonce": nonce}, timeout=30, trust_env=False)
            with self._installed.world.store.read() as work:
                found.append((work.deliveries.get(delivery).opens_used, answer.status_code))
        return found


@pytest.mark.parametrize("turn", range(CRASH_ROUNDS.now))
def test_a_web_process_that_dies_at_every_point_loses_nothing(tmp_path: Path, collection: Path, turn: int) -> None:
    order = points(FETCHING, WHOLE, (*MAILING, *WEB))
    with installation(tmp_path, collection, 3 * len(order)) as installed:
        driver = Driver(installed, order, Reader(installed).ask)
        # One thread: a death then counts against the job that met the point, not against a healthy neighbour.
        settings = environment(installed.home, order, PDF_ENGINE="rewrite", WORKER_THREADS="1")
        line, log = [sys.executable, "-m", "admin.cli", "serve"], tmp_path / "server.log"
        with running(line, Path.cwd(), log, settings):
            reader = Reader(installed)
            driver.drive(reader.press)
            opened = reader.opened()
        driver.tell()

        assert len(driver.kills()) == len(order) == 37
        assert installed.wrong() == []
        assert opened
        assert set(opened) == {(1, 303)}
