"""A real installation whose processes die: articles enough that each request has one of its own, and what must hold in the end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from admin.fsck.examining import examine, is_notice, patience_of
from admin.fsck.repairing import repair
from delivery.lifecycle import State
from tests.world import LIMITED, World, make_world

LEFT_BY_THE_DEAD = frozenset({"file-orphan", "left-over"})
"""What a process may leave when it dies: files that nothing names. Cleared by fsck after their grace."""
FOUND = "10.5555/lantern.2021.0001"


def many_articles(collection: Path, folder: Path, count: int) -> Path:
    """A collection with ``count`` files that all differ, named by DOIs from 10.5555/many.0 on."""
    folder.mkdir(parents=True)
    head, *lines = (collection / "lantern" / "holdings.tsv").read_text(encoding="utf-8").splitlines()
    held = next(line for line in lines if FOUND in line)
    name = held.partition("\t")[0]
    data = (collection / "lantern" / name).read_bytes()
    rows = [head]
    for number in range(count):
        (folder / f"{number}.pdf").write_bytes(data + b"%% copy %d\n" % number)
        rows.append(held.replace(name, f"{number}.pdf").replace(FOUND, f"10.5555/many.{number}"))
    (folder / "holdings.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@dataclass
class Installation:
    """A home folder with a world to look into it, and the numbers of the requests that were answered 202."""

    world: World
    home: Path
    numbers: list[str] = field(default_factory=list)

    def states(self) -> Counter[State]:
        """The states of the requests that were taken."""
        return Counter(self.world.get(number).state for number in self.numbers)

    def ended(self) -> bool:
        """Whether all that was taken has been supplied."""
        return self.states()[State.SUPPLIED] == len(self.numbers)

    def mails(self) -> list[str]:
        """The Message-IDs of all letters about a copy, from the mail folder."""
        found = []
        for path in (self.home / "mail").glob("*.eml"):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            told = next(line for line in lines if line.lower().startswith("message-id:"))
            found.append(told.partition(":")[2].strip())
        return found

    def wrong(self) -> list[str]:
        """What does not hold, after everything has ended. Leftovers of killed processes may be swept first, nothing else."""
        self.world.clock.now = datetime.now(UTC)
        found = [f"{number} is {self.world.get(number).state}" for number in self.numbers if not self._supplied(number)]
        mails = Counter(self.mails())
        with self.world.store.read() as work:
            for number in self.numbers:
                copies = work.deliveries.of_request(number)
                record = work.ledger.record(f"{number}/1")
                if len(copies) != 1 or record is None or record.status != "filled":
                    found.append(f"{number}: {len(copies)} copies, counted as {record and record.status}")
                elif mails[copies[0].message_id] != 1:
                    found.append(f"{number}: {mails[copies[0].message_id]} letters for its copy")
            open_jobs = [line for line in work.jobs.lines(self.world.ctx.clock()) if line.state != "done"]
        return found + [str(line) for line in open_jobs] + self.violations()

    def _supplied(self, number: str) -> bool:
        return self.world.get(number).state is State.SUPPLIED

    def violations(self) -> list[str]:
        """What fsck finds."""
        return violations(self.world)


def violations(world: World) -> list[str]:
    """What fsck finds with the grace that operators give; then, without any, what its repairs do not clear."""
    services = world.services
    with services.engine.connect() as connection:
        if services.engine.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    found = list(examine(services, patience_of(services, timedelta(hours=24)), deep=True))
    strict = patience_of(services, timedelta(0))
    for one in list(examine(services, strict)):
        if one.code in LEFT_BY_THE_DEAD:
            repair(services, one, strict)
    found += examine(services, strict)
    return [f"{one.code} {one.named}" for one in found if not is_notice(one)]


@contextmanager
def installation(
    folder: Path, collection: Path, articles: int, database: str = "", **more: str
) -> Iterator[Installation]:
    """One under an agreement with a limit that it does not reach, by the real clock; no process runs yet."""
    world = make_world(folder / "home", collection, database, **more)
    world.load(LIMITED.format(most=10_000, per="reader", effect="deny"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    held = many_articles(collection, folder / "many", articles)
    with world.store.write() as work:
        work.sources.save(replace(work.sources.get("collection"), settings={"folder": str(held)}))
    world.clock.now = datetime.now(UTC)
    try:
        yield Installation(world, folder / "home")
    finally:
        world.close()
        shutil.rmtree(folder / "home" / "blobs", ignore_errors=True)
