"""Load on a real ``rushlight serve`` from a second process: python -m benchmarks.load [--minutes 10] [--rate 10] [--smoke].

Four parts, each told beside a floor that is measured in the same run: requests that come evenly at a rate and are delivered
meanwhile (14-page articles from a local collection, every second of them asked for the first time), as many as are accepted in a
burst, the backlog of that burst until it is gone, and GETs inside open windows.
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
from delivery.people import Role
from delivery.stores import ApiTokenRecord, Source
from storage.models import EventRow, RequestRow
from tests.services.rushlight_server import Served, rushlight_server
from tests.serving.shop import open_window
from tests.world import World, collection_for, make_world

THREADS = 8
READERS = 24
MOST_ACCEPTED = 250
TITLE = "Article %06d"
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
    """A collection of ``count`` articles of fourteen pages that differ in a byte or two, as far as anybody can tell."""
    folder.mkdir()
    first = folder / "a.pdf"
    with pikepdf.open(article(14, folder.parent)) as pdf:
        pdf.docinfo["/Title"] = TITLE % 0
        pdf.save(first, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    made = first.read_bytes()
    first.unlink()
    rows = ["\t".join(COLUMNS)]
    for number in range(count):
        data = made.replace((TITLE % 0).encode(), (TITLE % number).encode())
        (folder / f"a{number}.pdf").write_bytes(data)
        cells = {"file": f"a{number}.pdf", "title": TITLE % number, "doi": f"10.5555/load.{number}", "year": "2021",
                 "container": "Journal of Load", "issn": "2999-0017", "genre": "article", "pages": "1-14"}  # fmt: skip
        rows.append("\t".join(cells.get(name, "") for name in COLUMNS))
    (folder / "holdings.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def world_of(folder: Path, articles: int, database: str, readers: int = 1) -> tuple[World, list[dict[str, str]]]:
    """An installation with the collection as its source, and what programs of its readers send along."""
    world = make_world(folder / "home", collection_for(folder), database)
    world.clock.now = datetime.now(UTC)
    stock(folder / "stock", articles)
    source = Source("stock", "local_collection", "Stock", "harbour", ("open",), {"folder": str(folder / "stock")}, 10)
    people = [world.reader, *(world.add_person(f"reader{number}", Role.READER) for number in range(1, readers))]
    headers = []
    with world.store.write() as work:
        work.sources.save(source)
        for person in people:
            token, claims = world.ctx.api_tokens.issue(person.id, world.clock(), timedelta(days=1))
            work.tokens.add_api_token(ApiTokenRecord(claims.token_id, person.id, "", world.clock(), claims.expires_at))
            headers.append({"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    return world, headers


def burst(
    port: int,
    seconds: float,
    ask: Callable[[http.client.HTTPConnection], bool],
    begun: Callable[[], float] | None = None,
) -> Burst:
    """Call from several threads on kept connections until the time is over. ``begun`` tells when the last call of a thread began,
    where that is not when it was made."""
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
            latencies.append(time.perf_counter() - (begun() if begun else start))
            if not good:
                next(errors)
        connection.close()

    start, threads = time.perf_counter(), [threading.Thread(target=one) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Burst(len(latencies), time.perf_counter() - start, latencies, next(errors))


def steadily(port: int, seconds: float, rate: float, ask: Callable[[http.client.HTTPConnection], bool]) -> Burst:
    """Call at a steady rate. A call that has to wait for others counts from when it was due."""
    turn, start = itertools.count(), time.perf_counter()

    def due(connection: http.client.HTTPConnection) -> bool:
        begun.value = start + next(turn) / rate
        time.sleep(max(0.0, begun.value - time.perf_counter()))
        return ask(connection)

    begun = threading.local()
    return burst(port, seconds, due, lambda: float(begun.value))


class Mix:
    """Requests of which every second is for an article that nobody asked for before, the others for one of long ago."""

    def __init__(self, headers: Sequence[dict[str, str]]) -> None:
        self._headers = headers
        self._turn = itertools.count()

    def __call__(self, connection: http.client.HTTPConnection) -> bool:
        """Hand one in; whether it was accepted."""
        number = next(self._turn)
        wanted = number // 2 if number % 2 == 0 else number // 4
        body = {"citation": {"doi": f"10.5555/load.{wanted}"}, "deliberate": True}
        headers = self._headers[number % len(self._headers)]
        connection.request("POST", "/api/v1/requests", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 202


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


def mailed(world: World) -> list[float]:
    """Seconds from each request to the letter with its link, of those that got one."""
    asked = select(EventRow.request, EventRow.at).where(EventRow.kind == "request:created")
    told_ = select(EventRow.request, EventRow.at).where(EventRow.kind == "mail:sent", EventRow.delivery != "")
    with world.services.engine.connect() as connection:
        begun = {str(request): at for request, at in connection.execute(asked)}
        return [(at - begun[request]).total_seconds() for request, at in connection.execute(told_) if request in begun]


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


@dataclass(frozen=True)
class Plan:
    """How long each part takes, in seconds, and how many requests a second come in the first."""

    steady: float
    rate: float
    burst: float
    gets: float
    patience: float

    @property
    def articles(self) -> int:
        """More than are asked for: a burst is not expected to go beyond this many a second."""
        return int(self.steady * self.rate + self.burst * MOST_ACCEPTED) // 2 + 2


def run(plan: Plan, database: str = "") -> list[Row]:
    """All parts against one server."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world, headers = world_of(folder, plan.articles, database, READERS)
        size, mix = (folder / "stock" / "a0.pdf").stat().st_size, Mix(headers)
        with rushlight_server(folder / "home", **({"database_url": database} if database else {})) as served:
            bare = saves(folder / "stock" / "a0.pdf")
            with told(f"deliveries at {plan.rate:g} requests a second", served, rows) as words:
                found = steadily(served.port, plan.steady, plan.rate, mix)
                done, left = len(_supplied(world)), _waiting(world)
                words += [
                    f"accepts {found.line()}",
                    f"{done / found.seconds:.2f} delivered/s over {found.seconds:.0f} s",
                ]
                words.append(f"{left} waiting at the end, article of {size / 1e6:.2f} MB")
                drain(world, plan.patience)
                words.append(f"from the request to its letter p95 {p95(mailed(world)):.2f} s")
                words.append(f"{done / found.seconds / bare:.3f} of {bare:.0f} bare saves/s and core")
            with told("accepts in a burst", served, rows) as words:
                found = burst(served.port, plan.burst, mix)
                floor = commits(folder)
                words += [found.line(), f"{found.calls / found.seconds / floor:.3f} of {floor:.0f} durable commits/s"]
            with told("the backlog of the burst", served, rows) as words:
                done, took = drain(world, plan.patience)
                words += [f"{done / took:.2f} delivered/s over {took:.0f} s", f"{_waiting(world)} left"]
                words.append(f"{done / took / bare:.3f} of {bare:.0f} bare saves/s and core")
            paths = [open_window(world, number) for number in _supplied(world)[:20]]
            with told(f"GETs of {size / 1e6:.2f} MB in open windows", served, rows) as words:
                found = burst(served.port, plan.gets, _getting(paths))
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
    wish.add_argument("--minutes", type=float, default=1.0, help="of the steady part; the burst takes a tenth as long")
    wish.add_argument("--rate", type=float, default=10.0, help="requests a second of the steady part")
    wish.add_argument("--smoke", action="store_true", help="ten seconds")
    wish.add_argument("--database", default="", help="address of an empty PostgreSQL database; else SQLite")
    chosen = wish.parse_args()
    print("\n".join(lines()))
    steady = 3.0 if chosen.smoke else chosen.minutes * 60
    short = 2.0 if chosen.smoke else max(6.0, steady / 10)
    run(Plan(steady, chosen.rate, short, min(short, 30.0), max(60.0, 15 * short)), chosen.database)
    print(
        f"peak memory of the generator {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB; {lines()[-1]}"
    )


if __name__ == "__main__":
    main()
