"""One row for each promise: what was measured, against what, and whether it holds."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PASS, FAIL, SLOW, TOLD, ABSENT = "pass", "FAIL", "slower", "reported", "not measured"
"""``slower`` is an absolute bar missed on another machine than the one of reference: it is shown and fails nothing."""

RIGHT = frozenset({"E8", "E9", "E11", "E12", "E18"})
"""Bars that say how copies are, whatever the machine does beside: valid, looking the same, nothing active, always the same bytes."""


@dataclass(frozen=True)
class Row:
    """``outcome`` is one of the five words above; ``note`` says what the row counts."""

    id: str
    what: str
    ours: str
    other: str
    ratio: str
    bar: str
    outcome: str
    note: str = ""

    def fails(self, smoke: bool) -> bool:
        """Whether this row ends the run with 1.

        A short run measures too little to judge speed and size by, and may leave things out; what must be right must
        be right in it too.
        """
        if smoke:
            return self.outcome == FAIL and self.id in RIGHT
        return self.outcome in {FAIL, ABSENT}


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds with three figures or so."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 10 else f"{value:.3f} ms"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all do not exceed (the nearest rank); ValueError where there are none."""
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values and a share above 0 and up to 1")
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 10_000) // 10_000)
    return ordered[max(1, rank) - 1]


def at_most(id: str, what: str, ours: float, other: float, bar: float, against: str, note: str = "") -> Row:
    """``ours`` may be at most ``bar`` times ``other``; both in seconds."""
    ratio = _ratio(ours, other)
    told = f"{against} {milliseconds(other)}"
    outcome = PASS if ratio <= bar else FAIL
    return Row(id, what, milliseconds(ours), told, f"{ratio:.2f}x", f"<= {bar:g}x", outcome, note)


def faster(id: str, what: str, ours: float, other: float, bar: float, against: str, note: str = "") -> Row:
    """``other`` must take at least ``bar`` times as long as ``ours``; both in seconds."""
    ratio = _ratio(other, ours)
    told = f"{against} {milliseconds(other)}"
    outcome = PASS if ratio >= bar else FAIL
    return Row(id, what, milliseconds(ours), told, f"{ratio:.1f}x", f">= {bar:g}x", outcome, note)


def within(id: str, what: str, ours: float, bar: float, reference: bool, note: str = "") -> Row:
    """An absolute bar in seconds; missing it fails on the machine of reference only."""
    outcome = PASS if ours <= bar else FAIL if reference else SLOW
    return Row(id, what, milliseconds(ours), "", "", f"<= {bar * 1000:g} ms", outcome, note)


def counted(id: str, what: str, ours: float, bar: float, unit: str = "", note: str = "") -> Row:
    """A number that depends on no machine: bytes, files, digests, shares."""
    return Row(id, what, f"{ours:g}{unit}", "", "", f"<= {bar:g}{unit}", PASS if ours <= bar else FAIL, note)


def told(id: str, what: str, ours: float, other: float, against: str, note: str = "") -> Row:
    """Two times that are shown without a bar."""
    ratio = f"{_ratio(ours, other):.2f}x" if other else ""
    return Row(id, what, milliseconds(ours), f"{against} {milliseconds(other)}" if other else "", ratio, "", TOLD, note)


def absent(id: str, what: str, why: str) -> Row:
    """A promise that this run did not measure, and why."""
    return Row(id, what, "", "", "", why, ABSENT)


def shown(rows: Iterable[Row]) -> list[Row]:
    """All rows; each is told on standard error as soon as it is known, for a whole run takes minutes."""
    found = []
    for row in rows:
        found.append(row)
        print(f"{row.outcome:9} {row.id:4} {row.what}: {row.ours} {row.other} {row.ratio}", file=sys.stderr, flush=True)
    return found


def _ratio(one: float, other: float) -> float:
    if one <= 0 or other <= 0:
        raise ValueError("a time of nothing was measured: too little work for the clock")
    return one / other
