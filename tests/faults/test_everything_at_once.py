"""Everything at once: requests flow while processes die and the broker and the bucket fail; in the end all is supplied, once."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from delivery.lifecycle import State
from tests.faults.counts import EVERYTHING, SHORT_LEASE
from tests.faults.installation import many_articles, violations
from tests.faults.nemeses import Broker, Bucket, Killer, Nemeses
from tests.faults.rolling import Fleet, Flow
from tests.flows.test_pages import bearer
from tests.flows.test_production import mails
from tests.services.cutting_proxy import cutting_proxy
from tests.services.processes import free_port
from tests.services.production import Production, production
from tests.services.s3 import S3Server
from tests.services.smtp import Mailbox

SECONDS = float(os.environ.get("RUSHLIGHT_EVERYTHING_SECONDS", "10"))
RATE = float(os.environ.get("RUSHLIGHT_EVERYTHING_RATE", "5"))
MEAN = 2.0
"""Seconds between two troubles of one kind, on average."""
PATIENCE = max(600.0, 3 * SECONDS)
ARTICLES = 1_000
JUDGED_FROM = 8 * 3600.0
MOST_GROWTH = 1.0
"""MiB an hour, in a run that is long enough to tell."""
WEBS, WORKERS, SPARED = ("web1", "web2"), ("worker1", "worker2"), ("web1", "worker1")

pytestmark = [pytest.mark.soak, pytest.mark.timeout(EVERYTHING.soak * (SECONDS + PATIENCE) + 600)]


class Memory:
    """How much the spared processes hold, asked for each second."""

    def __init__(self, fleet: Fleet) -> None:
        self.seen: dict[str, list[tuple[float, float]]] = {name: [] for name in SPARED}
        self._fleet, self._end = fleet, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._end.wait(1.0):
            for name, seen in self.seen.items():
                seen.append((time.monotonic() / 3600, self._fleet.memory(name) / 2**20))

    def slopes(self) -> dict[str, float]:
        """MiB an hour of each, by least squares over the later three quarters: what is warm by then is not counted."""
        later = {name: seen[len(seen) // 4 :] for name, seen in self.seen.items()}
        return {name: statistics.linear_regression(*zip(*seen, strict=True)).slope for name, seen in later.items()}

    def tell(self) -> None:
        """Say what was seen."""
        for name, slope in self.slopes().items():
            first, last = self.seen[name][0][1], self.seen[name][-1][1]
            hours = self.seen[name][-1][0] - self.seen[name][0][0]
            print(f"{name}: {first:.0f} MiB at first, {last:.0f} at last, {slope:+.1f} MiB/h over {hours * 3600:.0f} s")

    def close(self) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join()


def taken(installed: Production) -> set[str]:
    """Every request that the database holds, whether its answer reached the one who asked or not."""
    with installed.world.store.read() as work:
        return {one.number for one in work.requests.created_between(None, None, "", 10**9)}


def settled(installed: Production, numbers: list[str]) -> bool:
    """Whether all that was taken has been supplied before our patience ends."""
    end, waiting = time.monotonic() + PATIENCE, numbers
    while waiting and time.monotonic() < end:
        waiting = [one for one in waiting if installed.world.get(one).state is not State.SUPPLIED]
        time.sleep(0.5)
    return not waiting


@contextmanager
def fleet_of(installed: Production) -> Iterator[Fleet]:
    """Two web and two worker processes."""
    with closing(Fleet(installed)) as fleet:
        for name in (*WORKERS, *WEBS):
            fleet.start(name)
        yield fleet


def one_round(fleet: Fleet, broker: Broker, bucket: Bucket, numbers: list[str], seed: int) -> Counter[str]:
    """Ask while everything goes wrong, then neither; what went wrong how often. All that was taken must end."""
    killed = [name for name in (*WEBS, *WORKERS) if name not in SPARED]
    told = bearer(fleet.installed.world)
    flow = Flow(fleet, WEBS, told, articles=ARTICLES, pause=1 / RATE, first=len(numbers))
    with closing(flow), closing(Nemeses([Killer(fleet, killed), broker, bucket], MEAN, seed)) as nemeses:
        time.sleep(SECONDS)
    bucket.heal()
    numbers += flow.numbers
    assert (nemeses.failed, flow.broken) == ([], [])
    assert taken(fleet.installed) == set(numbers), "more was taken than was asked for, or less than was promised"
    assert settled(fleet.installed, numbers), "something that was taken has not ended"
    return nemeses.done


def test_all_that_was_taken_is_supplied_once_though_everything_fails(
    tmp_path: Path, collection: Path, postgres_server: str, s3: S3Server, smtp: Mailbox
) -> None:
    done, numbers, seed = Counter[str](), list[str](), datetime.now(UTC).toordinal()
    with (
        closing(Broker(free_port())) as broker,
        cutting_proxy(s3.endpoint) as proxy,
        production(tmp_path / "all", collection, postgres_server, broker.url, s3, smtp) as made,
    ):
        own = {"s3_endpoint": proxy.endpoint, "watchdog_seconds": "10", "lease_seconds": SHORT_LEASE}
        installed = replace(made, settings={**made.settings, **own})
        held = many_articles(collection, tmp_path / "many", ARTICLES)
        with installed.world.store.write() as work:
            work.sources.save(replace(work.sources.get("collection"), settings={"folder": str(held)}))
        with fleet_of(installed) as fleet, closing(Memory(fleet)) as memory:
            for turn in range(EVERYTHING.now):
                done += one_round(fleet, broker, Bucket(proxy), numbers, seed + turn)
            arrived = mails(smtp, len(numbers))
        memory.tell()
        print(
            f"{EVERYTHING.now} rounds of {SECONDS:.0f} s, {len(numbers)} requests, {dict(done)}, {proxy.done} answers spoilt"
        )
        kills = sum(fleet.stopped.values())

        assert min(kills, proxy.done, sum(done[one] for one in done if "broker" in one)) >= EVERYTHING.now
        assert len(arrived) == len(numbers) > 0
        assert sum(arrived.values()) <= len(numbers) + 2 * kills
        assert violations(installed.world) == []
        if SECONDS >= JUDGED_FROM:
            assert max(memory.slopes().values()) < MOST_GROWTH
