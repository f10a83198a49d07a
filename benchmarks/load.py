"""Load on running processes from another: python -m benchmarks.load [--minutes 10] [--rate 10] [--profile both] [--smoke].

Four parts, each told beside a floor that is measured in the same run: requests that come evenly at a rate and are delivered
meanwhile (14-page articles from a local collection, every second of them asked for the first time), as many as are accepted in a
burst, the backlog of that burst until it is gone, and GETs inside open windows.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import resource
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from sqlalchemy import func, select

from benchmarks.installed import Installed, embedded, on_services
from benchmarks.machine import lines, machine_cpu
from benchmarks.scale.pages import p95
from storage.models import EventRow, RequestRow
from tests.serving.shop import open_window
from tests.world import World

THREADS = 8
MOST_ACCEPTED = 250


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


@contextmanager
def told(name: str, installed: Installed) -> Iterator[list[str]]:
    """Time one part: its words, and what the installation's processes, the generator and the whole machine used of the processor.

    The sandbox's children and the services are in the last alone.
    """
    words: list[str] = []
    ours, theirs, all_of_it = time.process_time(), installed.cpu(), machine_cpu()
    yield words
    own, other = time.process_time() - ours, installed.cpu() - theirs
    everybody = machine_cpu() - all_of_it
    words.append(
        f"{other:.1f} s of CPU in its processes, {own:.1f} s in the generator, {everybody:.1f} s in all on this machine"
    )
    print(f"{name}: {'; '.join(words)}", flush=True)


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


Figures = dict[str, float]
"""What was done a second, by part."""


def run(plan: Plan, install: Callable[[Path, int], AbstractContextManager[Installed]]) -> Figures:
    """All parts against one installation."""
    with tempfile.TemporaryDirectory() as name, install(Path(name), plan.articles) as installed:
        return _parts(plan, installed)


def _parts(plan: Plan, installed: Installed) -> Figures:
    world, mix, size = installed.world, Mix(installed.headers), installed.article.stat().st_size
    bare, rates = saves(installed.article), {}
    with told(f"deliveries at {plan.rate:g} requests a second", installed) as words:
        found = steadily(installed.port, plan.steady, plan.rate, mix)
        done, left = len(_supplied(world)), _waiting(world)
        rates["deliveries"] = done / found.seconds
        words += [f"accepts {found.line()}", f"{rates['deliveries']:.2f} delivered/s over {found.seconds:.0f} s"]
        words.append(f"{left} waiting at the end, article of {size / 1e6:.2f} MB")
        drain(world, plan.patience)
        words.append(f"from the request to its letter p95 {p95(mailed(world)):.2f} s")
        words.append(f"{rates['deliveries'] / bare:.3f} of {bare:.0f} bare saves/s and core")
    with told("accepts in a burst", installed) as words:
        found = burst(installed.port, plan.burst, mix)
        rates["accepts"], floor = found.calls / found.seconds, commits(installed.folder)
        words += [found.line(), f"{rates['accepts'] / floor:.3f} of {floor:.0f} durable commits/s of SQLite"]
    with told("the backlog of the burst", installed) as words:
        done, took = drain(world, plan.patience)
        rates["backlog"] = done / took
        words += [f"{rates['backlog']:.2f} delivered/s over {took:.0f} s", f"{_waiting(world)} left"]
        words.append(f"{rates['backlog'] / bare:.3f} of {bare:.0f} bare saves/s and core")
    paths = [open_window(world, number) for number in _supplied(world)[:20]]
    with told(f"GETs of {size / 1e6:.2f} MB in open windows", installed) as words:
        found = burst(installed.port, plan.gets, _getting(paths))
        rates["gets"], floor = found.calls / found.seconds, sends(size)
        words += [found.line(), f"{rates['gets'] / floor:.3f} of {floor:.0f} through a pair of sockets"]
    return rates


def main() -> None:
    """Run and print; nothing is judged, for the figures are the machine's."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    wish.add_argument("--minutes", type=float, default=1.0, help="of the steady part; the burst takes a tenth as long")
    wish.add_argument("--rate", type=float, default=10.0, help="requests a second of the steady part")
    wish.add_argument("--smoke", action="store_true", help="ten seconds")
    wish.add_argument("--profile", choices=[*PROFILES, "both"], default="embedded", help="both: also their ratio")
    chosen = wish.parse_args()
    print("\n".join(lines()))
    steady = 3.0 if chosen.smoke else chosen.minutes * 60
    short = 2.0 if chosen.smoke else max(6.0, steady / 10)
    plan = Plan(steady, chosen.rate, short, min(short, 30.0), max(60.0, 15 * short))
    seen: dict[str, Figures] = {}
    for name in PROFILES if chosen.profile == "both" else [chosen.profile]:
        print(f"-- {name}")
        seen[name] = run(plan, PROFILES[name])
    if len(seen) == len(PROFILES):
        first, second = seen.values()
        told_ = ", ".join(f"{part} {second[part] / first[part]:.2f}" for part in first)
        print(f"{' against '.join(reversed(PROFILES))}: {told_} (aim 0.6)")
    print(
        f"peak memory of the generator {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB; {lines()[-1]}"
    )


PROFILES: dict[str, Callable[[Path, int], AbstractContextManager[Installed]]] = {
    "embedded": embedded,
    "services": on_services,
}

if __name__ == "__main__":
    main()
