"""Two worker processes against one on a queue that was filled before: python -m benchmarks.workers [--requests 200] [--smoke].

By turns one worker and two drain the same kind of queue: half of its requests are for articles that were delivered before. The
workers are started first, halted while the queue is filled, and let go at once, so no start is timed. The bar is 1.6.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from admin.bell import CeleryBell
from admin.celery_app import make_celery
from benchmarks.installed import cpu_of, world_of
from benchmarks.machine import lines, machine_cpu
from tests.services.postgres import fresh_database, postgres_server
from tests.services.processes import running, wait_until
from tests.services.rabbitmq import rabbitmq_server
from tests.world import World

BAR = 1.6
FREE = 1.8
"""What two bare loops must do against one, or somebody else has the machine and nothing can be told."""
VERDICTS = ("met", "NOT MET", "not judged, for others use this machine")
PATIENCE = 1800.0


@dataclass(frozen=True)
class Drained:
    """One drain: requests a second, and seconds of the processor that workers, this process and everybody else used."""

    workers: int
    rate: float
    seconds: float
    worker_cpu: float
    own_cpu: float
    other_cpu: float

    def line(self) -> str:
        """In words."""
        both = max(self.worker_cpu + self.own_cpu, 1e-9)
        return (
            f"{self.workers} worker{'s' * (self.workers > 1)}: {self.rate:.2f} requests/s over {self.seconds:.1f} s; CPU of the workers "
            f"{self.worker_cpu:.1f} s, of this process {self.own_cpu:.1f} s ({self.own_cpu / both:.0%}), of all others {self.other_cpu:.1f} s"
        )


class Queue:
    """An installation whose queue is filled: each time half new articles, half those of the time before."""

    def __init__(self, world: World, requests: int) -> None:
        self._world, self._requests, self._next = world, requests, 0
        self._before = self._ask(requests // 2)
        world.work(rounds=10_000)

    def _ask(self, count: int) -> list[str]:
        dois = [f"10.5555/load.{self._next + at}" for at in range(count)]
        self._next += count
        for doi in dois:
            self._world.ask(doi=doi)
        return dois

    def fill(self) -> None:
        """Write the requests; whoever runs may take them from now on."""
        for doi in self._before[: self._requests - self._requests // 2]:
            self._world.ask(doi=doi)
        self._before = self._ask(self._requests // 2)

    def is_empty(self) -> bool:
        """Whether nothing waits or runs, letters included."""
        with self._world.store.read() as work:
            return not any(line.state != "quarantined" for line in work.jobs.lines(self._world.clock()))


@contextlib.contextmanager
def workers(count: int, home: Path, settings: dict[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many worker processes that are ready and halted."""
    own = {f"RUSHLIGHT_{name.upper()}": value for name, value in settings.items()}
    with ExitStack() as stack:
        logs = [home / f"worker{at}.log" for at in range(count)]
        line, environment = [sys.executable, "-u", "-m", "admin.cli", "worker"], {"RUSHLIGHT_HOME": str(home), **own}
        made = [stack.enter_context(running(line, Path.cwd(), log, environment)) for log in logs]
        for process, log in zip(made, logs, strict=True):
            wait_until(partial(is_ready, log), process, log, 90)
        signal_all(made, signal.SIGSTOP)
        try:
            yield made
        finally:
            signal_all(made, signal.SIGCONT)


def is_ready(log: Path) -> bool:
    """Whether a worker has said so."""
    return b"worker is ready" in log.read_bytes()


def signal_all(processes: Sequence[subprocess.Popen[bytes]], sign: signal.Signals) -> None:
    """To them and all that they started."""
    for process in processes:
        os.killpg(process.pid, sign)


def drain(queue: Queue, requests: int, made: Sequence[subprocess.Popen[bytes]]) -> Drained:
    """Fill the queue, let these workers go, wait until nothing is left, and halt them again."""
    queue.fill()
    cpu, own, all_cpu = sum(cpu_of(one.pid) for one in made), time.process_time(), machine_cpu()
    start = time.perf_counter()
    signal_all(made, signal.SIGCONT)
    while not queue.is_empty() and time.perf_counter() - start < PATIENCE:
        time.sleep(0.1)
    took = time.perf_counter() - start
    signal_all(made, signal.SIGSTOP)
    theirs = sum(cpu_of(one.pid) for one in made) - cpu
    ours = time.process_time() - own
    return Drained(len(made), requests / took, took, theirs, ours, machine_cpu() - all_cpu - theirs - ours)


def ceiling(seconds: float) -> float:
    """How much more two bare loops do than one on this machine, as busy as it is now."""
    loop = (
        f"import time; end = time.perf_counter() + {seconds}; n = 0\nwhile time.perf_counter() < end: n += 1\nprint(n)"
    )

    def spin(count: int) -> int:
        made = [
            subprocess.Popen([sys.executable, "-I", "-S", "-c", loop], stdout=subprocess.PIPE) for _ in range(count)
        ]
        return sum(int(one.communicate()[0]) for one in made)

    alone = spin(1)
    return spin(2) / alone


def run(requests: int, rounds: int, threads: int) -> float:
    """The ratio of the median rates; each drain is printed. Workers are started anew for each: a broker gives halted ones rings, too."""
    with ExitStack() as stack:
        broker = stack.enter_context(rabbitmq_server())
        folder, queue, settings = stack.enter_context(filled(requests, rounds, threads, broker))
        rates: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(rounds):
            for count, seen in rates.items():
                with workers(count, folder, settings) as made:
                    done = drain(queue, requests, made)
                print(done.line(), flush=True)
                seen.append(done.rate)
    return statistics.median(rates[2]) / statistics.median(rates[1])


def smoke(requests: int) -> float:
    """One drain by one and one by two, without a broker."""
    with filled(requests, 1, 1, "") as (folder, queue, settings), workers(2, folder, settings) as made:
        one, two = drain(queue, requests, made[:1]), drain(queue, requests, made)
    print(f"{one.line()}\n{two.line()}")
    return two.rate / one.rate


@contextlib.contextmanager
def filled(requests: int, rounds: int, threads: int, broker: str) -> Iterator[tuple[Path, Queue, dict[str, str]]]:
    """An installation on PostgreSQL with a queue to be filled: its home folder, the queue, and the settings of its workers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(fresh_database(stack.enter_context(postgres_server())))
        world, _ = world_of(folder, (2 * rounds + 1) * (requests // 2) + 1, database)
        stack.callback(world.close)
        queue = Queue(world, requests)
        if broker:
            world.store.ring = CeleryBell(make_celery(broker)).ring
        settings = {"database_url": database, "broker_url": broker, "worker_threads": str(threads)}
        yield folder / "home", queue, settings


def main() -> None:
    """Run, print, and judge; a short run judges nothing."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    wish.add_argument("--requests", type=int, default=200)
    wish.add_argument("--rounds", type=int, default=3)
    wish.add_argument("--threads", type=int, default=1, help="jobs that one worker runs at the same time")
    wish.add_argument(
        "--smoke", action="store_true", help="one round of a few requests without a broker, judged by nobody"
    )
    chosen = wish.parse_args()
    print("\n".join(lines()))
    seconds = 0.2 if chosen.smoke else 3.0
    before = ceiling(seconds)
    ratio = smoke(6) if chosen.smoke else run(chosen.requests, chosen.rounds, chosen.threads)
    machine = min(before, ceiling(seconds))
    print(f"two bare loops do {machine:.2f} times as much as one on this machine now")
    verdict = judged(ratio, machine, chosen.smoke)
    print(
        f"two workers against one, {chosen.threads} job(s) at a time each: {ratio:.2f} times as fast; the bar is {BAR}: {verdict}"
    )
    print(lines()[-1])
    sys.exit(0 if chosen.smoke else VERDICTS.index(verdict))


def judged(ratio: float, machine: float, short: bool) -> str:
    """The verdict; its place among them is the exit code."""
    if short:
        return "a short run, not judged"
    if machine < FREE:
        return VERDICTS[2]
    return VERDICTS[0] if ratio >= BAR else VERDICTS[1]


if __name__ == "__main__":
    main()
