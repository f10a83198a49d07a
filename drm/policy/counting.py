"""Counting: which past records count for a limit, and what a measure makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from drm.agreement_rules import Measure, Rule, Window
from drm.facts.conditions import all_hold, exempts
from drm.facts.reading import FactError, Facts, as_instant, keys_of


@dataclass(frozen=True)
class Record:
    """One past copy or reservation, ready for counting."""

    facts: Facts
    keys: Mapping[str, str | None]
    status: str
    requested_at: datetime | None
    filled_at: datetime | None
    joint: tuple[str, ...] = ()
    settled: Mapping[str, object] = field(default_factory=dict)
    """Whether rules apply that test what is no longer known of the reader: answered before it was forgotten."""

    @cached_property
    def copies(self) -> int:
        """How many copies it was."""
        return _copies_of(self.facts)

    @cached_property
    def article(self) -> str | None:
        """The article it was of."""
        return self.facts.text("request.article")

    @cached_property
    def pages(self) -> frozenset[int]:
        """Its pages; none where they are unknown."""
        return self.facts.pages() or frozenset()


class History:
    """Past records, found by what a limit counts them by: each sequence of key parts is sorted once, however many rules use it."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._sorted: dict[tuple[str, ...], dict[tuple[str | None, ...], list[Record]]] = {}

    def of(self, per: Sequence[str], keys: Mapping[str, str | None]) -> Sequence[Record]:
        """The records whose parts equal ours. A missing part never equals another."""
        parts = tuple(per)
        wanted = tuple(keys[part] for part in parts)
        if None in wanted:
            return ()
        if not parts:
            return self._records
        if parts not in self._sorted:
            groups: dict[tuple[str | None, ...], list[Record]] = defaultdict(list)
            for record in self._records:
                # What several readers asked for together counts for each of them, and once for all else.
                readers = record.joint if record.joint and "reader" in parts else (record.keys["reader"],)
                for reader in dict.fromkeys(readers):
                    own = {**record.keys, "reader": reader}
                    groups[tuple(own[part] for part in parts)].append(record)
            self._sorted[parts] = dict(groups)
        return self._sorted[parts].get(wanted, ())


@dataclass(frozen=True)
class Count:
    """What one measure found: its counts, and whether it is kept (None: cannot be known)."""

    counts: dict[str, object]
    kept: bool | None


def read_record(content: Mapping[str, object], asking: Facts) -> Record:
    """A history record; what it does not say about its library is the asking library's."""
    tree = {name: content.get(name) or {} for name in ("supplier", "reader", "request", "work", "issue", "flags")}
    own = content.get("entity")
    tree["entity"] = own if isinstance(own, Mapping) and own else asking.get("entity") or {}
    facts = Facts(tree, asking.issn_l, asking.zone, asking.strict)
    joint, settled = content.get("joint_readers"), content.get("settled")
    return Record(
        facts,
        keys_of(facts),
        str(content.get("status", "")),
        _utc(facts.instant("request.at")),
        _utc(as_instant(content.get("filled_at"), facts.zone)),
        tuple(str(key) for key in joint) if isinstance(joint, list | tuple) else (),
        settled if isinstance(settled, Mapping) else {},
    )


def _utc(instant: datetime | None) -> datetime | None:
    """The same instant in UTC, which compares fast; None for one that no calendar holds."""
    try:
        return None if instant is None else instant.astimezone(UTC)
    except OverflowError:
        return None


def applies(rule: Rule, facts: Facts) -> bool:
    """Whether a rule applies: ``when`` holds and no table of ``unless`` does."""
    if not rule.when and not rule.unless:
        return True
    return all_hold(rule.when, facts) and not any(exempts(table, facts) for table in rule.unless)


def applied(rule: Rule, record: Record) -> bool:
    """Whether a rule applies to a record: on its own facts, or as it was settled before some of them were forgotten."""
    answer = record.settled.get(rule.id)
    return answer if isinstance(answer, bool) else applies(rule, record.facts)


def zone_of(window: Window, facts: Facts) -> ZoneInfo:
    """The zone a window counts in."""
    return ZoneInfo(window.tz) if window.tz else facts.zone


def present(window: Window, facts: Facts) -> datetime | None:
    """The instant of now for a window."""
    if window.anchor == "filled_at":
        return facts.instant("request.fill_at") or facts.instant("request.at")
    return facts.instant("request.at")


def counted(
    rule: Rule,
    facts: Facts,
    keys: Mapping[str, str | None],
    history: History,
    now: datetime | None,
) -> list[Record]:
    """The records that count for a limit at ``now``: by status, key, window and their own facts, whatever agreement they were under."""
    if rule.window.type == "request":
        return []
    statuses = (rule.count | rule.hold) - {"cancelled"}
    within = frame(rule.window, facts, now)
    return [
        record
        for record in history.of(rule.per, keys)
        if record.status in statuses and within(record) and applied(rule, record)
    ]


def instant_of(window: Window, record: Record) -> datetime | None:
    """The instant at which a record counts."""
    if window.anchor == "filled_at" and record.status == "filled":
        return record.filled_at or record.requested_at
    return record.requested_at


def frame(window: Window, facts: Facts, now: datetime | None) -> Callable[[Record], bool]:
    """The test whether a record falls into the window that ``now`` lies in. What has no instant counts, to be cautious."""
    if window.type == "lifetime" or now is None:
        return lambda record: True
    zone = zone_of(window, facts)
    reserved_counts = window.anchor == "filled_at"
    if window.type == "calendar":
        start, end = period(window.unit, now, zone)
    else:
        assert window.duration is not None
        # Half-open the other way round: a record exactly as old as the window is long has left.
        start, end = window.duration.before(now, zone), now
    calendar = window.type == "calendar"

    def within(record: Record) -> bool:
        if reserved_counts and record.status == "reserved":
            return True
        instant = instant_of(window, record)
        if instant is None:
            return True
        return start <= instant < end if calendar else start < instant <= end

    return within


def period(unit: str, instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end (exclusive) of the calendar period around an instant, as UTC."""
    day = instant.astimezone(zone).date()
    match unit:
        case "year":
            first, last = date(day.year, 1, 1), date(day.year + 1, 1, 1)
        case "month":
            first, last = day.replace(day=1), (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        case "week":
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=7)
        case _:
            first, last = day, day + timedelta(days=1)
    start, end = (datetime.combine(edge, time(), zone).astimezone(UTC) for edge in (first, last))
    return start, end


def measure(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    """Apply one measure to the counted records and this request."""
    return _MEASURES[kind.name](kind, facts, records)


def _copies(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    used = sum(record.copies for record in records)
    this = _copies_of(facts)
    return Count(_counts(used, this, kind.max), used + this <= kind.max)


def _copies_of(facts: Facts) -> int:
    number = facts.number("request.copies")
    if number is None or number != int(number):
        if facts.strict:
            raise FactError("request.copies is no whole number")
        return 1
    return int(number)


def _articles(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    named = {record.article for record in records if record.article is not None}
    used = len(named) + sum(record.article is None for record in records)
    article = facts.text("request.article")
    this = 0 if article is not None and article in named else 1
    return Count(_counts(used, this, kind.max), used + this <= kind.max)


def _repeat(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    return Count(_counts(len(records), 0, kind.max), len(records) <= kind.max)


def _other_readers(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    own = facts.text("reader.id")
    others = {reader for record in records if (reader := record.facts.text("reader.id")) is not None and reader != own}
    return Count(_counts(len(others), 0, kind.max), len(others) <= kind.max)


def _page_sets(facts: Facts, records: Sequence[Record]) -> tuple[frozenset[int], frozenset[int] | None]:
    used: frozenset[int] = frozenset().union(*(record.pages for record in records))
    return used, facts.pages()


def _pages(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    used, asked = _page_sets(facts, records)
    if asked is None:
        return Count(_counts(len(used), 0, kind.max), None)
    return Count(_counts(len(used), len(asked - used), kind.max), len(used | asked) <= kind.max)


def _percent(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    used, asked = _page_sets(facts, records)
    total = _total(kind, facts)
    limit = None if total is None else int(kind.percent * total / 100)
    this = 0 if asked is None else len(asked - used)
    if asked is None or total is None:
        return Count(_counts(len(used), this, limit), None)
    return Count(_counts(len(used), this, limit), len(used | asked) * 100 <= kind.percent * total)


def _total(kind: Measure, facts: Facts) -> Decimal | None:
    total = facts.number(kind.base) if kind.base else None
    if total is None:
        total = facts.number("work.pages")
    return total if total is not None and total > 0 else None


def _chapters(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    used = {chapter for record in records for chapter in record.facts.strings("request.chapters")}
    asked = set(facts.strings("request.chapters"))
    counts: dict[str, object] = {
        "chapters_used": len(used),
        "chapters_this": len(asked - used),
        "chapters_limit": kind.max,
    }
    return Count(counts, bool(asked) and len(used | asked) <= kind.max)


def _words(kind: Measure, facts: Facts, records: Sequence[Record]) -> Count:
    used = sum((record.facts.number("request.words") or Decimal(0) for record in records), Decimal(0))
    this = facts.number("request.words")
    if this is None:
        return Count(_counts(_plain(used), None, kind.max), None)
    return Count(_counts(_plain(used), _plain(this), kind.max), used + this <= kind.max)


def _plain(number: Decimal) -> int | str:
    return int(number) if number == int(number) else str(number)


def _counts(used: object, this: object, limit: object) -> dict[str, object]:
    return {"used": used, "this": this, "limit": limit}


_MEASURES = {
    "copies": _copies,
    "articles": _articles,
    "repeat": _repeat,
    "other_readers": _other_readers,
    "pages": _pages,
    "percent_pages": _percent,
    "chapters": _chapters,
    "words": _words,
}
