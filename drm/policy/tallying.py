"""What each limit has counted over a past period, and what it left out and why: the very counting of ``decide``, told in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drm.agreement_rules import Rule
from drm.facts.conditions import Condition, Truth, exempts
from drm.facts.reading import Facts, issn_map
from drm.policy.counting import (
    History,
    Record,
    applied,
    counted,
    frame,
    instant_of,
    measure,
    period,
    read_record,
    zone_of,
)

AGES = frozenset({"age_le", "age_gt", "age_ge", "before_year_of"})
EXEMPTING = AGES | {"ne", "not_in"}
"""Tests of ``when`` by which a rule leaves out what it is about; any other says what the rule is about."""
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class LeftOut:
    """A record that lies in a window and does not count, and why: its status, or the tests that take it out."""

    place: int
    status: str = ""
    tests: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Tally:
    """One scope of one limit in one window. ``counted`` and ``left_out`` name records by their place in the given sequence.

    ``since`` and ``until`` are None for a limit that counts for ever; a rolling limit is told where it was used most.
    """

    keys: Mapping[str, str]
    since: datetime | None
    until: datetime | None
    zone: ZoneInfo
    used: object
    limit: object
    counted: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class _Placed:
    """A record with its place."""

    place: int
    record: Record


def tallies(
    rule: Rule, contents: Sequence[Mapping[str, object]], since: datetime, until: datetime, now: datetime
) -> tuple[Tally, ...]:
    """What a limit counted in each of its windows that has a record in [since, until). Whole windows, not parts of them.

    ``contents`` are history records; give those of the whole windows too. A limit of single requests has no past.
    """
    if rule.type != "limit" or rule.window.type == "request":
        return ()
    groups: dict[tuple[str, ...], list[_Placed]] = {}
    for place, content in enumerate(contents):
        record = read_record(content, Facts(content, issn_map(content)))
        parts = [record.keys[part] for part in rule.per]
        known = tuple(part for part in parts if part is not None)
        if len(known) == len(parts) and (record.settled or not _foreign(rule, record)):
            groups.setdefault(known, []).append(_Placed(place, record))
    found = []
    for key in sorted(groups):
        found += _of_scope(rule, groups[key], since, until, now)
    return tuple(found)


def _of_scope(rule: Rule, placed: list[_Placed], since: datetime, until: datetime, now: datetime) -> list[Tally]:
    instants = {one.place: _instant(rule, one.record, now) for one in placed}
    inside = sorted(at for at in instants.values() if at is not None and since <= at < until)
    if not inside:
        return []
    newest = max(placed, key=lambda one: instants[one.place] or since).record.facts
    zone = zone_of(rule.window, newest)
    if rule.window.type == "lifetime":
        return [_tally(rule, placed, newest, (None, None), until - INSTANT, now)]
    if rule.window.type == "calendar":
        edges = sorted({period(rule.window.unit, at, zone) for at in inside})
        return [_tally(rule, placed, newest, edge, edge[0], now) for edge in edges]
    length = rule.window.duration
    assert length is not None
    each = [_tally(rule, placed, newest, (length.before(at, zone), at), at, now) for at in inside]
    return [max(each, key=lambda one: (len(one.counted), one.until or since))]


def _instant(rule: Rule, record: Record, now: datetime) -> datetime | None:
    """When a record counts; one that is set aside, for a limit by fill, counts now."""
    if rule.window.anchor == "filled_at" and record.status == "reserved":
        return now
    return instant_of(rule.window, record)


def _tally(
    rule: Rule,
    placed: list[_Placed],
    facts: Facts,
    edge: tuple[datetime | None, datetime | None],
    at: datetime,
    now: datetime,
) -> Tally:
    """Count one window as ``decide`` would for a request at an instant in it."""
    begins, ends = edge
    current = begins is None or ends is None or begins <= now < ends
    # What is set aside counts in the present window alone.
    own = [one for one in placed if current or one.record.status != "reserved" or rule.window.anchor != "filled_at"]
    places = {id(one.record): one.place for one in own}
    keys = {part: own[0].record.keys[part] if own else None for part in rule.per}
    taken = counted(rule, facts, keys, History([one.record for one in own]), at)
    counts = [measure(kind, facts, taken).counts for kind in rule.measures]
    merged = {name: value for one in counts for name, value in one.items()}
    within, chosen = frame(rule.window, facts, at), {id(record) for record in taken}
    rest = [one for one in own if within(one.record) and id(one.record) not in chosen]
    return Tally(
        {part: value or "" for part, value in keys.items()},
        begins,
        ends,
        zone_of(rule.window, facts),
        merged.get("used", merged.get("chapters_used")),
        merged.get("limit", merged.get("chapters_limit")),
        tuple(places[id(record)] for record in taken),
        tuple(_left_out(rule, one) for one in rest),
    )


def _left_out(rule: Rule, one: _Placed) -> LeftOut:
    if one.record.status not in (rule.count | rule.hold) - {"cancelled"}:
        return LeftOut(one.place, one.record.status)
    if applied(rule, one.record):
        return LeftOut(one.place)
    return LeftOut(one.place, "", _failing(rule, one.record))


def _failing(rule: Rule, record: Record) -> tuple[Condition, ...]:
    """The tests that take a record out: of ``when`` those that do not hold, of ``unless`` the tables that do."""
    failed = [test for test in rule.when if test.check(record.facts) not in {Truth.YES, Truth.UNKNOWN_AGE}]
    return (*failed, *(test for table in rule.unless if exempts(table, record.facts) for test in table))


def _foreign(rule: Rule, record: Record) -> bool:
    """Whether a record is of a kind that the rule is not about at all, such as a book under a rule on periodicals."""
    return any(
        test.operator not in EXEMPTING and not test.path.startswith("flags.")
        for test in rule.when
        if test.check(record.facts) not in {Truth.YES, Truth.UNKNOWN_AGE}
    )
