"""What the soak consists of: the faults of docs/reliability.md in full, the races, the fuzzing and the seeded bugs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults import counts

ROOT = Path(__file__).resolve().parents[2]
FUZZ_MINUTES = float(os.environ.get("FUZZ_MINUTES", "60"))
EVERYTHING_SECONDS = float(os.environ.get("RUSHLIGHT_EVERYTHING_SECONDS", "10"))
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "20000")
FAULTS, FLOWS = "tests/faults/test_{}.py", "tests/flows/test_{}.py"


@dataclass(frozen=True)
class Part:
    """One part: its name, what it injects, the command, and the minutes that it took on two cores."""

    name: str
    injects: str
    command: tuple[str, ...]
    minutes: float


def _tests(name: str, injects: str, minutes: float, *paths: str) -> Part:
    return Part(name, injects, (*PYTEST, *paths), minutes)


def _faults(*names: str) -> list[str]:
    return [FAULTS.format(name) for name in names]


def _flows(*names: str) -> list[str]:
    return [FLOWS.format(name) for name in names]


PARTS = (
    _tests("F1", f"kills at every named point, {counts.CRASH_ROUNDS.soak} times each", 17, *_faults("crash_points")),
    _tests("F2", "kills at random moments", 2, *_faults("killing")),
    _tests("F3", f"{counts.SYSTEM_CALLS.soak} system calls", 13, *_faults("system_calls")),
    _tests("F4", f"{counts.REPEATED_RINGS.soak} rounds", 6, *_faults("repeated_rings", "races", "same_moment")),
    _tests(
        "F5",
        f"{counts.BROKERS.soak} emptied, {counts.LOST_BROKERS.soak} lost",
        30,
        *_flows("broken_brokers", "brokers"),
    ),
    _tests(
        "F6",
        f"{counts.DATABASE.soak} rounds each",
        30,
        *_faults("database_away", "trouble"),
        "tests/storage/test_bounds.py",
    ),
    _tests("F7", f"{counts.CUTS.soak} places", 15, *_faults("cut_off")),
    _tests("F8", f"{counts.FULL_DISKS.soak} rounds each", 15, *_faults("full_disks")),
    _tests("F9", f"{counts.BUCKETS.soak} rounds each", 20, *_faults("buckets"), "tests/storage/test_blobs.py"),
    _tests("F10", f"{counts.MAIL_SERVERS.soak} rounds of 4", 10, *_faults("mail_servers"), *_flows("mail")),
    _tests("F11", f"{counts.CLOCKS.soak} rounds", 5, *_faults("clocks")),
    _tests("F12", "the whole set", 15, "tests/hostile/test_poison.py", "tests/drm/pdf/test_sandbox.py"),
    _tests(
        "F13",
        f"{counts.HOSTILE_SOURCES.soak} times each way",
        15,
        "tests/fetchers/test_http.py",
        "tests/fetchers/test_addresses.py",
    ),
    _tests(
        "F14",
        f"{counts.ROLLS.soak} rounds of restarts",
        60,
        *_faults("rolling_restarts"),
        *_flows("production"),
        "tests/serving/test_stopping.py",
    ),
    _tests("F15", f"{counts.RESTORES.soak} times each", 10, *_flows("restoring")),
    _tests(
        "F16",
        f"{counts.EVERYTHING.soak} rounds of {EVERYTHING_SECONDS:g} s",
        2 + counts.EVERYTHING.soak * (EVERYTHING_SECONDS / 60 + 1),
        *_faults("everything_at_once"),
    ),
    _tests("race", "100,000 operations on each database", 40, *_faults("quota_race")),
    _tests("log", "10,000 changes of a log", 15, "tests/storage/test_log_forging.py"),
    _tests("machines", "5,000 examples of each property", 30, *_flows("ledger_machine"), "tests/hostile/test_fuzz.py"),
    _tests("rest", "what else is marked as long", 40, "-m", "slow or soak", "--ignore=tests/faults", "tests"),
    Part(
        "fuzz",
        f"{FUZZ_MINUTES:g} minutes of changed files",
        (sys.executable, "-m", "tests.hostile.fuzz", "--minutes", f"{FUZZ_MINUTES:g}"),
        FUZZ_MINUTES,
    ),
    Part("bugs", "every seeded bug", (sys.executable, "-m", "tests.mutations", "--all", "--at-once", "2"), 60),
)
