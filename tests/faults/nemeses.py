"""What goes wrong at random moments while requests flow: processes are killed, the broker and the bucket are in trouble."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.faults.rolling import Fleet
from tests.services.cutting_proxy import CuttingProxy
from tests.services.redis import redis_on

FIRST = 1.0
"""Seconds until the first trouble of each kind, so that no round goes without."""


class Broker:
    """A Redis of our own that forgets, stands still, and is killed and started again.

    One thread starts them all and lives as long as this does: a server ends with the thread that started it.
    """

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"redis://127.0.0.1:{port}/0"
        self._starter = ThreadPoolExecutor(1)
        self._begin()

    def _begin(self) -> None:
        self._stack = contextlib.ExitStack()
        self._process = self._starter.submit(self._stack.enter_context, redis_on(self.port)).result()

    def trouble(self, chance: random.Random, end: threading.Event) -> str:
        """Do one of them; its name."""
        kind = chance.choice(("broker emptied", "broker paused", "broker killed"))
        if kind == "broker emptied":
            patience = Retry(ConstantBackoff(0.2), 50)  # it may just have been started
            with contextlib.closing(redis.Redis.from_url(self.url, retry=patience)) as client:
                client.flushall()
        elif kind == "broker paused":
            os.killpg(self._process.pid, signal.SIGSTOP)
            end.wait(chance.uniform(1, 5))
            os.killpg(self._process.pid, signal.SIGCONT)
        else:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._stack.close()
            self._begin()
        return kind

    def close(self) -> None:
        """End it."""
        self._stack.close()
        self._starter.shutdown()


class Bucket:
    """A proxy before the bucket: refuses, breaks off, gives other bytes, is slow."""

    def __init__(self, proxy: CuttingProxy) -> None:
        self.proxy = proxy

    def trouble(self, chance: random.Random, end: threading.Event) -> str:
        """Be in one trouble until the next; its name."""
        self.heal()
        kind = chance.choice(("bucket refuses", "bucket breaks off", "bucket lies", "bucket slow"))
        if kind == "bucket refuses":
            self.proxy.refusals = chance.randint(4, 12)
        elif kind == "bucket breaks off":
            self.proxy.cuts, self.proxy.after = 4, chance.randint(100, 9_000)
        elif kind == "bucket lies":
            self.proxy.spoils = chance.randint(1, 2)
        else:
            self.proxy.delay = 0.3
        return kind

    def heal(self) -> None:
        """Be well again."""
        self.proxy.refusals = self.proxy.cuts = self.proxy.spoils = 0
        self.proxy.delay = 0.0


class Killer:
    """kill -9 of one of the processes, which is started again."""

    def __init__(self, fleet: Fleet, names: Sequence[str]) -> None:
        self._fleet, self._names = fleet, names

    def trouble(self, chance: random.Random, end: threading.Event) -> str:
        """Kill one; what it was."""
        name = chance.choice(self._names)
        self._fleet.kill(name)
        return f"{name} killed"


class Nemeses:
    """Each kind of trouble in a thread of its own, after pauses of random length."""

    def __init__(self, kinds: Sequence[Killer | Broker | Bucket], mean: float, seed: int) -> None:
        self.done, self.failed = Counter[str](), list[BaseException]()
        self._end = threading.Event()
        work = [(kind.trouble, random.Random(seed + at)) for at, kind in enumerate(kinds)]
        self._threads = [threading.Thread(target=self._run, args=(do, chance, mean)) for do, chance in work]
        for thread in self._threads:
            thread.start()

    def _run(self, do: Callable[[random.Random, threading.Event], str], chance: random.Random, mean: float) -> None:
        pause = FIRST
        try:
            while not self._end.wait(pause):
                self.done[do(chance, self._end)] += 1
                pause = chance.expovariate(1 / mean)
        except BaseException as error:  # noqa: BLE001 - told by the test, in its own thread
            self.failed.append(error)

    def close(self) -> None:
        """Bring what has begun to its end, and begin nothing more."""
        self._end.set()
        for thread in self._threads:
            thread.join()
