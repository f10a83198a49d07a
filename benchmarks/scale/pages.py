"""The list pages and searches of a large database beside those of a small one: python -m benchmarks.scale.pages --help.

Both installations are open in one process and asked by turns, so that the load of the machine falls on both alike.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks.scale.fill import made, reopened
from benchmarks.scale.pattern import key_of, library_of, spread
from delivery.people import Role
from delivery.services.expiring import expire_links, remove_files, remove_jobs, remove_masters
from delivery.services.working import free_gone, sweep
from tests.delivery.web_test_support import signed_in
from tests.world import World

BAR = 1.2
Row = tuple[str, str, str, bool]
PAGES = {
    "queue, open": "/queue",
    "queue, supplied": "/queue?view=supplied",
    "queue, supplied, page 20": "/queue?view=supplied&page=20",
    "queue, closed": "/queue?view=closed",
    "queue, all": "/queue?view=all",
    "queue, number": "/queue?view=all&q={request}",
    "queue, a common word": "/queue?view=all&q=asymmetry",
    "queue, a word of no title": "/queue?view=all&q=nonesuch",
    "queue, a language of few": "/queue?view=all&language=zh",
    "queue, a library": "/queue?view=all&library={library}",
    "one request": "/requests/{request}",
    "approvals": "/rights/approvals",
    "log": "/rights/log",
    "log, a kind": "/rights/log?kind=copy:supplied",
    "log, a library": "/rights/log?library={library}",
    "log, a request": "/rights/log?request={request}",
    "log, a reader": "/rights/log?reader={reader}",
    "log, an agreement": "/rights/log?agreement=limited@1",
    "log, a rare agreement": "/rights/log?agreement=open@7",
    "log, a common word": "/rights/log?title=estuaries",
    "log, a word of no title": "/rights/log?title=nonesuch",
    "log, a day": "/rights/log?since=2026-11-20&until=2026-11-21",
    "agreements": "/rights/agreements",
    "one agreement": "/rights/agreements/limited/1",
    "readers": "/readers",
    "operator": "/operator",
}
BY = {"readers": "librarian", "operator": "operator"}


@dataclass
class Site:
    """One filled installation with its people signed in."""

    world: World
    deliveries: int
    clients: dict[str, FlaskClient]
    mine: FlaskClient

    @classmethod
    def of(cls, world: World, deliveries: int) -> Site:
        """Sign in an officer, a librarian, an operator and a generated reader."""
        staff = world.staff_app()
        with world.store.read() as work:
            known = work.people.by_email("olga@harbour.example.org")
        operator = known or world.add_person("Olga", Role.OPERATOR)
        clients = {"officer": world.officer, "librarian": world.librarian, "operator": operator}
        with world.store.read() as work:
            reader = work.people.get(key_of(0, "id"))
        return cls(
            world,
            deliveries,
            {name: signed_in(staff, person) for name, person in clients.items()},
            signed_in(world.reader_app(), reader),
        )

    def page(self, name: str) -> Callable[[], object]:
        """One look at a page; a page that does not open ends the run."""
        own = spread(self.deliveries // 2, self.deliveries, max(1, self.deliveries // 4), 180, self.world.clock())
        where = PAGES[name].format(request=own.request, library=library_of(7), reader=key_of(own.reader, "key"))
        return partial(_look, self.clients[BY.get(name, "officer")], where)

    def accept(self) -> object:
        """Take one request: decide, reserve, write it down."""
        return self.world.ask(doi=f"10.5555/lantern.2021.000{1 + time.perf_counter_ns() % 6}")

    def works(self) -> dict[str, Callable[[], object]]:
        """Everything that is timed, by name."""
        ctx = self.world.ctx
        return {
            **{name: self.page(name) for name in PAGES},
            "my requests": partial(_look, self.mine, "/requests"),
            "accept and decide": self.accept,
            "sweeper: due jobs": lambda: (sweep(ctx), free_gone(ctx)),
            "sweeper: links and files": lambda: (expire_links(ctx), remove_files(ctx), remove_masters(ctx)),
            "sweeper: past jobs": lambda: remove_jobs(ctx, 0),
        }


def _look(client: FlaskClient, where: str) -> None:
    answer = client.get(where)
    if answer.status_code != 200:
        raise AssertionError(f"{where} answered {answer.status_code}: the benchmark would time a failure")


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not pass."""
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def compare(small: Site, large: Site, rounds: int) -> Iterator[Row]:
    """A row for each work: its 95th percentile in the large one against the small one.

    On SQLite the time of the processor is taken, for the database works in this process; else that of the wall clock.
    """
    clock = time.process_time if small.world.services.engine.dialect.name == "sqlite" else time.perf_counter
    before, after = small.works(), large.works()
    for name in before:
        taken: tuple[list[float], list[float]] = ([], [])
        for turn in range(rounds + 1):
            for values, work in zip(taken, (before[name], after[name]), strict=True):
                spent = _seconds(work, clock)
                if turn:  # the first fills caches
                    values.append(spent)
        few, many = p95(taken[0]), p95(taken[1])
        ratio = many / max(few, 1e-4)
        value = f"{few * 1e3:.1f} -> {many * 1e3:.1f} ms, {ratio:.2f}x"
        yield f"{name}, p95 at {large.deliveries} against {small.deliveries}", value, f"<= {BAR}", ratio <= BAR


def run(smoke: bool) -> list[Row]:
    """Both installations in a scratch folder; in a smoke run so small that the ratios say nothing and are only reported."""
    sizes = (300, 1_200) if smoke else (40_000, 400_000)
    with tempfile.TemporaryDirectory() as folder:
        sites = []
        for size in sizes:
            (Path(folder) / str(size)).mkdir()
            world, _ = made(Path(folder) / str(size), size)
            sites.append(Site.of(world, size))
        rows = list(compare(sites[0], sites[1], 3 if smoke else 20))
        for site in sites:
            site.world.close()
    return [(name, value, "reported", True) if smoke else (name, value, bar, good) for name, value, bar, good in rows]


def main() -> None:
    """Fill two installations and print the table."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.scale.pages", description=__doc__)
    wish.add_argument("--deliveries", type=int, default=400_000)
    wish.add_argument("--against", type=int, default=40_000)
    wish.add_argument("--rounds", type=int, default=20)
    wish.add_argument(
        "--databases", nargs=2, default=("", ""), help="two empty PostgreSQL databases: the small one first"
    )
    wish.add_argument(
        "--filled",
        nargs=2,
        type=Path,
        default=(),
        help="two folders that benchmarks.scale.fill filled: the small one first",
    )
    chosen = wish.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sites = [Site.of(*reopened(one)) for one in chosen.filled]
        for size, database in [] if sites else zip((chosen.against, chosen.deliveries), chosen.databases, strict=True):
            (Path(folder) / str(size)).mkdir()
            world, filled = made(Path(folder) / str(size), size, database)
            print(filled.line(), flush=True)
            sites.append(Site.of(world, size))
        for name, value, bar, good in compare(sites[0], sites[1], chosen.rounds):
            print(f"{'pass' if good else 'FAIL'}  {name}: {value} (bar {bar})", flush=True)


if __name__ == "__main__":
    main()
