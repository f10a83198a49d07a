"""Load on a real ``rushlight serve`` from a second process: python -m benchmarks.load [--minutes 10] [--smoke].

Three parts, each told beside a floor that is measured in the same run: requests accepted in a burst, deliveries until the
backlog is gone (14-page articles from a local collection, half of them delivered before), and GETs inside open windows.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import resource
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
from sqlalchemy import func, select

from admin.sample.collection import COLUMNS
from benchmarks.machine import lines
from benchmarks.pdf_engine.documents import article
from benchmarks.scale.pages import p95
from delivery.stores import ApiTokenRecord, Source
from storage.models import RequestRow
from tests.services.rushlight_server import Served, rushlight_server
from tests.serving.shop import open_window
from tests.world import World, collection_for, make_world

THREADS = 8
Row = tuple[str, str, str, bool]


@dataclass(frozen=True)
class Burst:
    """What many calls in a row took."""

    calls: int
    seconds: float
    latencies: Sequence[float]
    errors: int

    def line(self) -> str:
        """Calls a second with the slow ones."""
        worst = sorted(self.latencies)[max(0, -(-len(self.latencies) * 99 // 100) - 1)]
        return f"{self.calls / self.seconds:.1f}/s, p95 {p95(self.latencies) * 1e3:.0f} ms, p99 {worst * 1e3:.0f} ms, {self.errors} errors"


def stock(folder: Path, count: int) -> None:
    """A collection of ``count`` different articles of fourteen pages."""
    folder.mkdir()
    made = article(14, folder.parent)
    rows = ["\t".join(COLUMNS)]
    for number in range(count):
        with pikepdf.open(made) as pdf:
            pdf.docinfo["/Title"] = f"Article {number}"
            pdf.save(folder / f"a{number}.pdf")
        cells = {"file": f"a{number}.pdf", "title": f"Article {number}", "doi": f"10.5555/load.{number}", "year": "2021",
                 "container": "Journal of Load", "issn": "2999-0017", "genre": "article", "pages": "1-10"}  # fmt: skip
        rows.append("\t".join(cells.get(name, "") for name in COLUMNS))
    (folder / "holdings.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def world_of(folder: Path, articles: int, database: str) -> tuple[World, dict[str, str]]:
    """An installation with the collection as its source, and what a program of the reader's sends along."""
    world = make_world(folder / "home", collection_for(folder), database)
    world.clock.now = datetime.now(UTC)
    stock(folder / "stock", articles)
    source = Source("stock", "local_collection", "Stock", "harbour", ("open",), {"folder": str(folder / "stock")}, 10)
    token, claims = world.ctx.api_tokens.issue(world.reader.id, world.clock(), timedelta(days=1))
    with world.store.write() as work:
        work.sources.save(source)
        work.tokens.add_api_token(
            ApiTokenRecord(claims.token_id, world.reader.id, "", world.clock(), claims.expires_at)
        )
    return world, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def burst(port: int, seconds: float, ask: Callable[[http.client.HTTPConnection], bool]) -> Burst:
    """Call from several threads on kept connections until the time is over."""
    latencies: list[float] = []
    errors = itertools.count()
    end = time.perf_counter() + seconds

    def one() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < end:
            start = time.perf_counter()
            try:
                good = ask(connection)
            except OSError:
                connection.close()
                good = False
            latencies.append(time.perf_counter() - start)
            if not good:
                next(errors)
        connection.close()

    start, threads = time.perf_counter(), [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Burst(len(latencies), time.perf_counter() - start, latencies, next(errors))


def _asking(headers: dict[str, str], articles: int) -> Callable[[http.client.HTTPConnection], bool]:
    numbers = itertools.count()

    def ask(connection: http.client.HTTPConnection) -> bool:
        body = {"citation": {"doi": f"10.5555/load.{next(numbers) % articles}"}, "deliberate": True}
        connection.request("POST", "/api/v1/requests", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 202

    return ask


def _getting(paths: Sequence[str]) -> Callable[[http.client.HTTPConnection], bool]:
    turn, room = itertools.count(), threading.local()

    def get(connection: http.client.HTTPConnection) -> bool:
        if not hasattr(room, "bytes"):
            room.bytes = memoryview(bytearray(1 << 18))
        connection.request("GET", paths[next(turn) % len(paths)])
        answer, got = connection.getresponse(), 0
        while length := answer.readinto(room.bytes):
            got += length
        return answer.status == 200 and got == int(answer.headers["Content-Length"])

    return get


def _supplied(world: World) -> list[str]:
    with world.services.engine.connect() as connection:
        rows = connection.scalars(select(RequestRow.delivery).where(RequestRow.state == "supplied"))
        return list(rows)


def _waiting(world: World) -> int:
    with world.services.engine.connect() as connection:
        wanted = select(func.count()).where(RequestRow.state.in_(["new", "fetching", "preparing"]))
        return connection.scalar(wanted) or 0


def drain(world: World, most: float) -> tuple[int, float]:
    """Wait until nothing is being supplied any more, or ``most`` seconds; how many were supplied meanwhile, in which time."""
    before, start = len(_supplied(world)), time.perf_counter()
    while _waiting(world) and time.perf_counter() - start < most:
        time.sleep(0.5)
    return len(_supplied(world)) - before, time.perf_counter() - start


def commits(folder: Path, seconds: float = 1.0) -> float:
    """The floor of accepting: durable commits of one small row a second, on the same disk and one connection."""
    with sqlite3.connect(folder / "floor.db", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE floor (text)")
        count, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.execute("INSERT INTO floor VALUES ('a request')")
            count += 1
    return count / seconds


def saves(made: Path, rounds: int = 5) -> float:
    """The floor of delivering: copies a second on one core of pikepdf opening and saving the article encrypted."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        with pikepdf.open(made) as pdf:
            pdf.save(made.with_suffix(".floor"), encryption=pikepdf.Encryption(user="", owner="x", R=6))
        taken.append(time.process_time() - start)
    return 1 / max(statistics.median(taken), 1e-6)


def sends(size: int, seconds: float = 1.0) -> float:
    """The floor of the downloads: bodies of this size a second through a pair of sockets, written and read by this process."""
    ours, theirs = socket.socketpair()
    data, room, count = bytes(size), memoryview(bytearray(1 << 18)), 0
    end = time.perf_counter() + seconds

    def send() -> None:
        while time.perf_counter() < end:
            ours.sendall(data)
        ours.close()

    thread, got = threading.Thread(target=send), 0
    thread.start()
    while length := theirs.recv_into(room):
        got += length
    thread.join()
    count = got // size
    return count / seconds


def _children(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _children(int(child))


def cpu_of(pid: int) -> float:
    """Seconds of the processor that a process and those it made have used, ended ones too."""
    total = 0
    for one in set(_children(pid)):
        try:
            words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(word) for word in words[11:15])
    return total / os.sysconf("SC_CLK_TCK")


@contextmanager
def told(name: str, served: Served, rows: list[Row]) -> Iterator[list[str]]:
    """Time one part: its words, and the share of the processor that the generator took of what both used."""
    words: list[str] = []
    ours, theirs = time.process_time(), cpu_of(served.pid)
    yield words
    own, other = time.process_time() - ours, cpu_of(served.pid) - theirs
    share = own / max(own + other, 1e-9)
    words.append(f"{other:.1f} s of CPU in the server, the generator took {share:.0%} of both")
    rows.append((name, "; ".join(words), "reported", True))
    print(f"{name}: {rows[-1][1]}", flush=True)


def run(seconds: float, articles: int, database: str = "") -> list[Row]:
    """All parts against one server; a third of the time each, and as long as the backlog takes."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world, headers = world_of(folder, articles, database)
        size = (folder / "stock" / "a0.pdf").stat().st_size
        with rushlight_server(folder / "home", **({"database_url": database} if database else {})) as served:
            with told("accepts in a burst", served, rows) as words:
                found = burst(served.port, seconds / 3, _asking(headers, articles))
                floor = commits(folder)
                words += [found.line(), f"{found.calls / found.seconds / floor:.3f} of {floor:.0f} durable commits/s"]
            with told("deliveries until the backlog is gone", served, rows) as words:
                done, took = drain(world, max(30.0, seconds))
                floor = saves(folder / "stock" / "a0.pdf")
                words += [
                    f"{done / took:.2f}/s over {took:.0f} s",
                    f"{_waiting(world)} left, article of {size / 1e6:.2f} MB",
                ]
                words.append(f"{done / took / floor:.3f} of {floor:.0f} bare saves/s and core")
            paths = [open_window(world, number) for number in _supplied(world)[:20]]
            with told(f"GETs of {size / 1e6:.2f} MB in open windows", served, rows) as words:
                found = burst(served.port, seconds / 3, _getting(paths))
                floor = sends(size)
                words += [
                    found.line(),
                    f"{found.calls / found.seconds / floor:.3f} of {floor:.0f} through a pair of sockets",
                ]
        world.close()
    return rows


def main() -> None:
    """Run and print; nothing is judged, for the figures are the machine's."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    wish.add_argument("--minutes", type=float, default=1.0)
    wish.add_argument("--smoke", action="store_true", help="ten seconds")
    wish.add_argument("--database", default="", help="address of an empty PostgreSQL database; else SQLite")
    chosen = wish.parse_args()
    print("\n".join(lines()))
    seconds = 6.0 if chosen.smoke else chosen.minutes * 60
    run(seconds, 10 if chosen.smoke else 40, chosen.database)
    print(
        f"peak memory of the generator {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB; {lines()[-1]}"
    )


if __name__ == "__main__":
    main()
