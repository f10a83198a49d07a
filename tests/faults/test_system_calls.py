"""Each system call of one request kills its process or fails, one a run: what was acknowledged is there, and fsck is clean."""

from __future__ import annotations

import datetime
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from admin.settings import Settings
from admin.wiring import build_services
from delivery.lifecycle import OPEN, State
from delivery.services.working import free_gone, run_job, sweep
from tests.conftest import or_skip
from tests.faults.counts import SOAK, SYSTEM_CALLS
from tests.faults.installation import violations
from tests.services.processes import ServiceUnavailableError
from tests.world import Clock, Post, World, make_world

NAMES = (
    "openat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "fsync",
    "fdatasync",
)
CALLS = (*NAMES, "write", "pwrite64", "ftruncate", "mkdir", "mkdirat", "sendto")
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
SECONDS = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200 if SOAK else 1_200)]


@dataclass(frozen=True)
class Fault:
    """The ``nth`` call of a name fails or kills."""

    call: str
    nth: int
    how: str

    @property
    def expression(self) -> str:
        """As strace takes it."""
        return f"inject={self.call}:{self.how}:when={self.nth}"


class Nursery:
    """Forks processes that wait to be watched, from one that has everything loaded."""

    def __init__(self) -> None:
        line = [sys.executable, "-m", "tests.faults.one_request"]
        self._process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
        )
        self._lock = threading.Lock()
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], SECONDS)
        assert ready, "the nursery does not answer"
        return self._process.stdout.readline()

    def child(self, home: Path, log: Path) -> int:
        """A stopped process that will do the request in ``home``."""
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(f"{home} {log}\n")
            pid = int(self._line())
        end = time.monotonic() + SECONDS
        while _status(pid, "State")[:1] != "T" and time.monotonic() < end:
            time.sleep(0.005)
        return pid

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def _status(pid: int, name: str) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        found = re.search(rf"^{name}:\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return found[1] if found else ""
    return ""


@contextmanager
def nursery() -> Iterator[Nursery]:
    """One, ended afterwards; without strace the test cannot run here."""
    with or_skip():
        if shutil.which("strace") is None:
            raise ServiceUnavailableError("no strace: the package strace is missing")
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


def watched(nursery: Nursery, home: Path, *expressions: str) -> tuple[str, str]:
    """Do the request under strace, to its end; what strace says, and what was acknowledged."""
    log, told = home / "acknowledged", home / "strace"
    child = nursery.child(home, log)
    options = [word for expression in expressions for word in ("-e", expression)]
    strace = subprocess.Popen(["strace", "-o", told, "-p", str(child), *options], stderr=subprocess.DEVNULL)
    end = time.monotonic() + SECONDS
    while _status(child, "TracerPid") in {"0", ""} and time.monotonic() < end:
        time.sleep(0.005)
    os.kill(child, signal.SIGCONT)
    try:
        strace.wait(SECONDS)
    finally:
        strace.kill()
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return told.read_text(errors="replace"), log.read_text() if log.exists() else ""


def counted(nursery: Nursery, home: Path) -> Counter[str]:
    """How often the request does each call, after a good end."""
    trace, acknowledged = watched(nursery, home, "trace=" + ",".join(f"?{call}" for call in CALLS))
    assert "read " in acknowledged, "the request did not come to its end without any fault"
    return Counter(
        found[1] for line in trace.splitlines() if (found := re.match(r"(\w+)\(", line)) and found[1] in CALLS
    )


def sampled(counts: Counter[str], number: int) -> list[Fault]:
    """Some faults, others each day; each call and way to fail at least once where there is room."""
    chance = random.Random(datetime.datetime.now(UTC).toordinal())
    kinds = [(call, how) for call in sorted(counts) for how in FAULTS]
    every = [Fault(call, nth + 1, how) for call, how in kinds for nth in range(counts[call])]
    chance.shuffle(every)
    firsts = {(fault.call, fault.how): fault for fault in every}
    rest = [fault for fault in every if fault not in firsts.values()]
    return [*firsts.values(), *rest][:number]


def opened(home: Path, world: World) -> World:
    """The installation in ``home``, a day later."""
    services = build_services(Settings(home=home, _env_file=None), clock=Clock(datetime.datetime.now(UTC)))
    post = Post()
    return replace(world, services=services, ctx=replace(services.ctx, mailer=post), post=post)


def come_to_rest(world: World) -> None:
    """Let time pass and work go on, as the service would by itself."""
    clock = world.ctx.clock
    assert isinstance(clock, Clock)
    free_gone(world.ctx)
    for _ in range(12):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
        clock.move(timedelta(minutes=10))


def wrong(nursery: Nursery, base: World, home: Path, fault: Fault) -> tuple[bool, list[str]]:
    """Whether the fault was met, and what does not hold after it."""
    shutil.copytree(base.services.settings.home, home)
    trace, acknowledged = watched(nursery, home, f"trace={fault.call}", fault.expression)
    met = "(INJECTED)" in trace or "killed by SIGKILL" in trace
    world = opened(home, base)
    come_to_rest(world)
    found = []
    with world.store.read() as work:
        for line in acknowledged.splitlines():
            what, number = line.split()
            request = work.requests.get(number)
            if request.state is not State.SUPPLIED or (
                what in {"opened", "read"} and work.deliveries.get(request.delivery).opens_used != 1
            ):
                found.append(f"{line} was acknowledged, and is {request.state}")
        waiting = {str(state): count for state, count in work.requests.counts().items() if state in OPEN and count}
    if waiting:
        found.append(f"{waiting} never ended")
    found += violations(world)
    world.close()
    shutil.rmtree(home)
    return met, [f"{fault}: {one}" for one in found]


def test_no_system_call_that_fails_or_kills_loses_what_was_acknowledged(tmp_path: Path, collection: Path) -> None:
    base = make_world(tmp_path / "base", collection)
    base.close()
    with nursery() as waiting:
        shutil.copytree(tmp_path / "base", tmp_path / "counted")
        counts = counted(waiting, tmp_path / "counted")
        faults = sampled(counts, SYSTEM_CALLS.now)
        with ThreadPoolExecutor(2) as pool:
            homes = [tmp_path / str(at) for at in range(len(faults))]
            results = list(pool.map(lambda at: wrong(waiting, base, homes[at], faults[at]), range(len(faults))))
    bad = [one for _, found in results for one in found]
    met = sum(hit for hit, _ in results)
    print(f"{counts.total()} calls in one request, {len(faults)} faults, {met} met, {len(bad)} violations")

    assert counts.total() > 100
    assert met >= SYSTEM_CALLS.ci * 3 // 4, "too few faults were met: nothing is shown"
    assert bad == []
