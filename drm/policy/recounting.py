"""Counting what was supplied under one limit once more, one copy after the other, long after it was decided.

This knows nothing of decisions: it only adds up. What it finds above a limit was supplied against it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from drm.agreement_rules import Rule
from drm.decisions import Outcome
from drm.policy.counting import Record, applied, instant_of, period, zone_of


@dataclass(frozen=True)
class Supplied:
    """A copy that counts under some scope of a limit. ``bound`` tells that the limit itself had to let it pass."""

    claim: str
    record: Record
    bound: bool


def can_recount(rule: Rule) -> bool:
    """Whether a limit is recounted: it refuses, counts copies alone, and looks back. Others ask a person or count works and pages."""
    copies = len(rule.measures) == 1 and rule.measures[0].name == "copies"
    return rule.type == "limit" and copies and rule.effect.outcome is Outcome.DENY and rule.window.type != "request"


def over(rule: Rule, supplied: Iterable[Supplied]) -> Iterator[tuple[Supplied, int]]:
    """The copies that a limit should have refused, with how many there were then, themselves among them.

    ``supplied`` are those of one scope in the sequence in which they were filled. Copies that were only reserved at the time
    are not counted, so that it never tells too much.
    """
    known: list[datetime] = []
    timeless = 0
    for one in supplied:
        if not applied(rule, one.record):
            continue
        at = instant_of(rule.window, one.record)
        used = one.record.copies + timeless + (len(known) if at is None else _within(rule, one.record, at, known))
        if one.bound and used > rule.measures[0].max:
            yield one, used
        for _ in range(one.record.copies):
            if at is None:
                timeless += 1
            else:
                insort(known, at)


def _within(rule: Rule, record: Record, at: datetime, known: list[datetime]) -> int:
    """How many of the instants lie in the window that ``at`` lies in."""
    window, zone = rule.window, zone_of(rule.window, record.facts)
    if window.type == "lifetime":
        return len(known)
    if window.type == "calendar":
        start, end = period(window.unit, at, zone)
        return bisect_left(known, end) - bisect_left(known, start)
    assert window.duration is not None
    return bisect_right(known, at) - bisect_right(known, window.duration.before(at, zone))
