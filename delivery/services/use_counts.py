"""The report of what each limit counted: by scope and window, with the requests it counted and those it left out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from delivery.effective_dates import known_then
from delivery.ports import Work
from delivery.services.deciding import history_record, parsed
from delivery.stores import AgreementVersion, UsageRecord
from drm.agreement_rules import Rule
from drm.facts.conditions import Condition
from drm.facts.durations import Duration
from drm.policy.tallying import LeftOut, Tally, tallies

Row = tuple[str | int, ...]
COLUMNS: tuple[str, ...] = (
    "agreement", "version", "rule", "counts", "library_or_group", "title", "other_key", "from", "until", "zone", "counted", "limit",
    "requests_counted", "not_counted", "why_not",
)  # fmt: skip
OF_READERS = frozenset({"reader", "reader_group"})
LONGEST = {
    "year": timedelta(days=366),
    "month": timedelta(days=31),
    "week": timedelta(days=7),
    "day": timedelta(days=1),
}
ZONES = timedelta(days=2)
"""Windows begin in civil time; this is more than any two zones lie apart."""
WORDS = {
    "flags.fee_paid": "royalty paid",
    "flags.subscribed": "subscribed",
    "flags.on_order": "on order",
    "flags.owned": "owned",
    "work.rights": "open access or public domain",
}
AGES = {"age_le": "older than {}", "age_ge": "younger than {}", "age_gt": "not older than {}"}


def use_counts(work: Work, agreement: str, since: datetime, until: datetime, now: datetime) -> list[Row]:
    """A row for each limit of an agreement ("" for all), scope and window that has a copy in [since, until).

    Windows are told whole, in the rule's civil time, in the words that were in force when the newest of their copies was made.
    Limits of single readers are left out: nobody appears in a report.
    """
    versions = [one for one in work.agreements.standing("confirmed") if not agreement or one.id == agreement]
    limits = [
        (version, rule) for version in versions for rule in parsed(version).rules if not OF_READERS & set(rule.per)
    ]
    records = work.ledger.used_since(_reach([rule for _, rule in limits], since))
    contents = [
        {**history_record(record), "status": record.status if record.under else "open access"} for record in records
    ]
    rows = []
    for version, rule in limits:
        own = [one for one in versions if one.id == version.id]
        for tally in tallies(rule, contents, since, until, now):
            seen = [records[place] for place in (*tally.counted, *(one.place for one in tally.left_out))]
            if _governing(own, tally, seen) == version.version and any(version.id in one.under for one in seen):
                rows.append(_row(version, rule, tally, records))
    return sorted(rows, key=lambda row: tuple(map(str, row[:9])))


def _reach(rules: Sequence[Rule], since: datetime) -> datetime | None:
    """From when records are needed so that every window that touches the period is whole; None for ever."""
    if any(rule.type == "limit" and rule.window.type == "lifetime" for rule in rules):
        return None
    starts = [since]
    for rule in rules:
        if rule.window.type == "calendar":
            starts.append(since - LONGEST[rule.window.unit])
        elif rule.window.duration is not None:
            starts.append(rule.window.duration.before(since, ZoneInfo("UTC")))
    return min(starts) - ZONES


def _governing(versions: Sequence[AgreementVersion], tally: Tally, seen: Sequence[UsageRecord]) -> int:
    """The version that was in force when the newest copy of a window was made, of those there was one for."""
    for record in sorted(seen, key=lambda one: one.filled_at or one.requested_at, reverse=True):
        for found in known_then(versions, record.filled_at or record.requested_at, tally.zone):
            return found.version
    return 0


def _row(version: AgreementVersion, rule: Rule, tally: Tally, records: Sequence[UsageRecord]) -> Row:
    keys = dict(tally.keys)
    library, title = keys.pop("entity", ""), keys.pop("title", "")
    begins, ends = (at.astimezone(tally.zone).isoformat() if at else "" for at in (tally.since, tally.until))
    why: dict[str, list[str]] = {}
    for one in tally.left_out:
        why.setdefault(_why(one), []).append(records[one.place].request)
    return (
        version.id,
        version.version,
        rule.id,
        " or ".join(kind.name for kind in rule.measures),
        library,
        title,
        " ".join(f"{part}={value}" for part, value in keys.items()),
        begins,
        ends,
        str(tally.zone),
        _cell(tally.used),
        _cell(tally.limit),
        " ".join(records[place].request for place in tally.counted),
        len(tally.left_out),
        "; ".join(f"{reason}: {' '.join(numbers)}" for reason, numbers in sorted(why.items())),
    )


def _cell(value: object) -> str | int:
    return value if isinstance(value, int) else "" if value is None else str(value)


def _why(one: LeftOut) -> str:
    """Why a record does not count, in words an auditor knows; a fact that has none is named as agreements do."""
    if one.status:
        return one.status.replace("reserved", "set aside")
    return ", ".join(dict.fromkeys(_test(test) for test in one.tests)) or "settled before its reader was forgotten"


def _test(test: Condition) -> str:
    if test.operator in AGES and isinstance(test.value, Duration):
        return AGES[test.operator].format(f"P{test.value.amount}{test.value.unit}")
    return WORDS.get(test.path, test.path)
