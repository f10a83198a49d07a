"""What a decision costs with ten agreements, and how that grows with a history of 200 to 10,000 records.

Decisions a second are told beside a floor: json.dumps of the same facts and history, which touches each value once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

from drm.agreements import Agreement, load_agreements
from drm.policy import decide

Row = tuple[str, str, str, bool]
RULE = """
[[agreement]]
id = "a{n}"
title = "Agreement {n}"
jurisdiction = "IE"
kind = "licence"
version = 1
[[agreement.rule]]
id = "a{n}.year"
type = "limit"
measure = "copies"
max = 100000
per = ["entity", "title"]
window = {{ type = "calendar", unit = "year" }}
count = ["filled"]
hold = ["reserved"]
effect = "deny"
reason = "LICENCE_VOLUME_CAP"
"""


def _agreements() -> tuple[Agreement, ...]:
    return load_agreements("vocabulary = 1\n" + "".join(RULE.format(n=n) for n in range(10)))


FACTS = {
    "entity": {"id": "E", "tz": "Europe/Dublin"},
    "reader": {"id": "R"},
    "request": {"at": "2026-11-24T10:00:00Z", "item": "article"},
    "work": {"issn": "2999-0017"},
}


def _history(records: int) -> list[dict[str, object]]:
    return [
        {
            "status": "filled",
            "reader": {"id": "R"},
            "request": {"at": f"2026-0{1 + n % 9}-11T10:00:00Z"},
            "work": {"issn": "2999-0017"},
        }
        for n in range(records)
    ]


def _seconds(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def run(smoke: bool) -> list[Row]:
    """Decisions a second, their cost against the floor, and the cost of a record in a long history against a short one."""
    agreements, rounds = _agreements(), 15
    rows: list[Row] = []
    cost: dict[int, float] = {}
    for records in (200, 2_000) if smoke else (200, 1_000, 10_000):
        history = _history(records)
        used = decide([agreements], FACTS, history).counts["a9.year"]["used"]
        if used != records:
            raise AssertionError(f"{used} of {records} records were counted: the benchmark would time a miss")
        cost[records] = _seconds(partial(decide, [agreements], FACTS, history), rounds)
        floor = _seconds(partial(json.dumps, [FACTS, history]), rounds)
        what = f"decide, 10 agreements, {records} records"
        rows.append((what, f"{1 / cost[records]:.0f}/s, {cost[records] / floor:.0f}x floor", "reported", True))
    short, long = min(cost), max(cost)
    growth = (cost[long] / long) / (cost[short] / short)
    rows.append((f"decide, cost a record at {long} against {short}", f"{growth:.2f}", "<= 1.5", growth <= 1.5))
    return rows
