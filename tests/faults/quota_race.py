"""Many processes at a few hot quota keys: the service's own reserve, settle, release and refund against a naive form.

    python -m tests.faults.quota_race [--operations N] [--processes N] [--database URL]

Prints what was issued too much, what leaked, and operations a second, of both forms in the same run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from admin.settings import Settings
from admin.wiring import Services, build_services
from delivery.citation import Citation
from delivery.document_request import DocumentRequest
from delivery.errors import Unavailable
from delivery.lifecycle import State
from delivery.ports import Work
from delivery.services.deciding import Route, Verdict, judge, refund, release, reserve, settle
from drm.decisions import Outcome
from tests.world import LIMITED, World, collection_for, make_world

LIMIT = 25
KEYS = 6
START = "TR-RACE-0000"


@dataclass(frozen=True)
class RaceResult:
    """What a race left behind."""

    operations: int
    seconds: float
    issued: int
    over_issued: int
    leaked: int

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds


def _request(process: int, number: int, key: int, world_now: object) -> DocumentRequest:
    return DocumentRequest(
        number=START,
        library_id="harbour",
        reader_id=None,
        reader_key=f"hot-{key}",
        state=State.PREPARING,
        typed={},
        citation=Citation(genre="article", title="One article", issn="2999-0017"),
        created_at=world_now,  # type: ignore[arg-type]  # an aware instant
        changed_at=world_now,  # type: ignore[arg-type]
        copy_no=process * 1_000_000 + number,
    )


def _decided(work: Work, services: Services, request: DocumentRequest) -> Verdict:
    route = Route(work.sources.get("collection"), None)
    return judge(work, request, work.libraries.get("harbour"), [route], services.ctx.clock())


def _worker(home: str, database: str, process: int, operations: int, naive: bool) -> None:
    services = build_services(Settings(home=Path(home), database_url=database, _env_file=None))
    chance, done = random.Random(process), 0
    held: list[DocumentRequest] = []
    now = services.ctx.clock()
    while done < operations:
        request = _request(process, done, chance.randrange(KEYS), now)
        try:
            if held and chance.random() < 0.35:
                _give_back(services, held.pop(chance.randrange(len(held))), chance)
            elif (_naive if naive else _honest)(services, request):
                held.append(request)
        except Unavailable:
            continue  # busy: the caller tries again, as the service tells its clients to
        done += 1
    services.engine.dispose()


def _racers(processes: int, home: str, database: str, share: int, naive: bool) -> None:
    """A process without threads that loads the service once and forks those that race."""
    fork = multiprocessing.get_context("fork")
    racers = [fork.Process(target=_worker, args=(home, database, at + 1, share, naive)) for at in range(processes)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    if wrong := [racer.exitcode for racer in racers if racer.exitcode]:
        raise RuntimeError(f"racers ended with {wrong}")


def _honest(services: Services, request: DocumentRequest) -> bool:
    with services.store.write() as work:
        verdict = _decided(work, services, request)
        if verdict.decision.outcome is not Outcome.ALLOW:
            return False
        reserve(work, request, verdict, services.ctx.clock(), "race")
    return True


def _naive(services: Services, request: DocumentRequest) -> bool:
    """Look first, write later: what a quota looks like without one transaction and its lock."""
    with services.store.write() as work:
        verdict = _decided(work, services, request)
    if verdict.decision.outcome is not Outcome.ALLOW:
        return False
    time.sleep(0.005)  # as long as a query over a network: without it a quiet machine might hide what is wrong
    with services.store.write() as work:
        reserve(work, request, verdict, services.ctx.clock(), "race")
    return True


def _give_back(services: Services, request: DocumentRequest, chance: random.Random) -> None:
    how = chance.choice(["release", "settle", "refund"])
    with services.store.write() as work:
        now = services.ctx.clock()
        if how == "release":
            release(work, request, now, "race", "cancelled")
            return
        verdict = _decided(work, services, request)
        settle(work, request, verdict, now)
        if how == "refund":
            refund(work, request, now, "race", "bad copy")


def prepared(folder: Path, collection: Path, database: str) -> World:
    """An installation whose collection has one limit, with the request that all claims belong to."""
    world = make_world(folder, collection, database)
    world.load(LIMITED.format(most=LIMIT, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    with world.store.write() as work:
        work.requests.add(replace(_request(0, 1, 0, world.clock()), copy_no=1))
    return world


def race(world: World, operations: int, processes: int, naive: bool = False) -> RaceResult:
    """Let processes race, then count from the journal what stood at every moment and from the ledger what is held."""
    settings = world.services.settings
    share = operations // processes
    begun = time.monotonic()
    racers = multiprocessing.get_context("spawn").Process(
        target=_racers, args=(processes, str(settings.home), settings.database_url, share, naive)
    )
    racers.start()
    racers.join()
    seconds = time.monotonic() - begun
    assert racers.exitcode == 0
    return _counted(world, share * processes, seconds)


def _counted(world: World, operations: int, seconds: float) -> RaceResult:
    standing: dict[str, str] = {}
    used: Counter[str] = Counter()
    issued = over = 0
    with world.services.engine.connect() as connection:
        reader = {
            str(row[0]): str(row[1]) for row in connection.execute(text("SELECT claim, reader FROM usage_records"))
        }
        changes = connection.execute(text("SELECT claim, status FROM usage_journal ORDER BY id")).all()
        held = connection.execute(
            text(
                "SELECT count(*) FILTER (WHERE kind = 'reserve') - count(*) FILTER (WHERE kind IN ('release', 'refund')) FROM ledger"
            )
        ).scalar()
    for claim, status in changes:
        counts = status in {"reserved", "filled"}
        counted_before = standing.get(claim) in {"reserved", "filled"}
        used[reader[claim]] += counts - counted_before
        issued += counts and claim not in standing
        over += counts and not counted_before and used[reader[claim]] > LIMIT
        standing[claim] = status
    counting = sum(status in {"reserved", "filled"} for status in standing.values())
    return RaceResult(operations, seconds, issued, over, abs(int(held or 0) - counting))


def main() -> None:
    """Race in both forms and print the table."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--operations", type=int, default=100_000)
    given.add_argument("--processes", type=int, default=16)
    given.add_argument("--database", default="")
    options = given.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        collection = collection_for(Path(scratch))
        for naive in (False, True):
            operations = options.operations if not naive else min(options.operations, 5_000)
            world = prepared(Path(scratch) / f"naive-{naive}", collection, options.database)
            found = race(world, operations, options.processes, naive)
            name = "naive" if naive else "ledger"
            print(
                f"{name:7} {found.operations} operations, {found.rate:.0f}/s, {found.issued} issued, "
                f"{found.over_issued} too many, {found.leaked} leaked"
            )
            world.services.engine.dispose()


if __name__ == "__main__":
    main()
