"""What one delivery may do: copy and link terms of several agreements brought together, and when a link or a record ends."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from drm.agreement_reading import AgreementError, Reader, unknown
from drm.agreement_terms import LinkTable, UsePeriod, read_link
from drm.agreements import Agreement
from drm.business_days import holidays_after
from drm.decisions import Decision, Outcome
from drm.facts.durations import Duration

DEFAULT_PRESET = "rushlight-default"
PRESETS = Path(__file__).parent / "presets.toml"
PRINT_ORDER: tuple[Literal["none", "low", "full"], ...] = ("none", "low", "full")


@dataclass(frozen=True)
class CopyTerms:
    """What a copy may do, with the defaults where no agreement says anything."""

    encrypt: bool = True
    print: Literal["none", "low", "full"] = "full"
    copy_text: bool = True
    password: Literal["none", "reader"] = "none"  # noqa: S105 - a mode, no secret
    view_only: bool = False
    show_name: bool = True


@dataclass(frozen=True)
class LinkTerms:
    """How long and how often a link works. ``ttls`` are all periods that agreements gave: the earliest end holds."""

    ttls: tuple[tuple[Duration, str], ...] = ()
    unopened: tuple[Duration, ...] = ()
    use_periods: tuple[UsePeriod, ...] = ()
    opens: int | None = None
    prints: int | None = None
    renewals: int = 0
    max_bytes: int | None = None
    same_reader_only: bool = False
    same_device: bool = False


@dataclass(frozen=True)
class Terms:
    """The stricter of all agreements of a route, with their texts by language."""

    copy: CopyTerms = field(default_factory=CopyTerms)
    link: LinkTerms = field(default_factory=LinkTerms)
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def load_presets() -> Mapping[str, LinkTable]:
    """The presets of link terms by name; AgreementError names a mistake."""
    content = tomllib.loads(PRESETS.read_text(encoding="utf-8"))
    return {name: read_link(Reader("presets.toml", name, "", dict(table))) for name, table in content["preset"].items()}


def with_preset(table: LinkTable | None, presets: Mapping[str, LinkTable]) -> LinkTable:
    """A link table whose gaps its preset fills; without one, the default preset's. AgreementError for an unknown preset."""
    own = table or LinkTable()
    name = own.preset or DEFAULT_PRESET
    if name not in presets:
        raise AgreementError("", "", "", "link.preset", f"{name!r} {unknown(name, presets)}")
    preset = presets[name]
    filled = {
        key: getattr(preset, key)
        for key in LinkTable.__dataclass_fields__
        if key != "preset" and getattr(own, key) is None and getattr(preset, key) is not None
    }
    return replace(own, **filled)


def combine_terms(agreements: Sequence[Agreement], presets: Mapping[str, LinkTable]) -> Terms:
    """The stricter of each key among the agreements that state it; texts are all kept, in sequence."""
    links = [with_preset(agreement.link, presets) for agreement in agreements] or [with_preset(None, presets)]
    tables = [agreement.copy for agreement in agreements]
    prints = [table.print for table in tables if table.print is not None]
    copy = CopyTerms(
        encrypt=any(flag for flag in (t.encrypt for t in tables)) or all(t.encrypt is None for t in tables),
        print=min((word for word in PRINT_ORDER if word in prints), key=PRINT_ORDER.index, default="full"),
        copy_text=all(table.copy_text is not False for table in tables),
        password="reader" if "reader" in {table.password for table in tables} else "none",
        view_only=any(table.view_only for table in tables),
        show_name=any(flag for flag in (t.show_name for t in tables)) or all(t.show_name is None for t in tables),
    )
    link = LinkTerms(
        ttls=tuple((table.ttl, table.ttl_from or "sent") for table in links if table.ttl is not None),
        unopened=tuple(table.unopened for table in links if table.unopened is not None),
        use_periods=tuple(table.use_period for table in links if table.use_period is not None),
        opens=_least(table.opens for table in links),
        prints=_least(table.prints for table in links),
        renewals=_least(table.renewals for table in links) or 0,
        max_bytes=_least(table.max_bytes for table in links),
        same_reader_only=any(table.same_reader_only for table in links),
        same_device=any(table.same_device for table in links),
    )
    return Terms(copy, link, _texts([a.terms for a in agreements]), _texts([a.notice for a in agreements]))


def _least(values: object) -> int | None:
    found = [value for value in values if value is not None]  # type: ignore[attr-defined]  # a generator of int | None
    return min(found) if found else None


def _texts(texts: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """All texts for each language any agreement has; where one lacks a language, its first text stands in."""
    given = [text for text in texts if text]
    languages = list(dict.fromkeys(language for text in given for language in text))
    return {
        language: tuple(text.get(language) or next(iter(text.values())) for text in given) for language in languages
    }


def open_access_terms() -> Terms:
    """An open-access copy: plain, no limit of opens; the link still ends, for it is ours."""
    presets = load_presets()
    default = with_preset(None, presets)
    assert default.ttl is not None
    return Terms(CopyTerms(encrypt=False), LinkTerms(ttls=((default.ttl, "sent"),)))


def link_end(link: LinkTerms, issued_at: datetime, tz: str, first_use_at: datetime | None = None) -> datetime | None:
    """The end of a link (exclusive, UTC), by the library's wall clock; None where there is none."""
    zone = ZoneInfo(tz)
    ends = []
    for duration, since in link.ttls:
        if since == "sent":
            ends.append(duration.after(issued_at, zone))
        elif first_use_at is not None:
            ends.append(duration.after(first_use_at, zone))
    if first_use_at is None:
        ends += [duration.after(issued_at, zone) for duration in link.unopened]
    return min(ends).astimezone(UTC) if ends else None


def used_end(link: LinkTerms, first_use_at: datetime, tz: str) -> datetime | None:
    """The earliest end of the use periods that began with the first use (exclusive, UTC); None where there is none.

    The n-th business day is usable to local midnight; holidays are those of the calendar that the agreement names.
    """
    zone = ZoneInfo(tz)
    day = first_use_at.astimezone(zone).date()
    ends = []
    for use in link.use_periods:
        if use.duration is not None:
            ends.append(use.duration.after(first_use_at, zone))
        else:
            closed = holidays_after(use.calendar, day, use.business_days)
            last = last_business_day(day, use.business_days, use.count_first_day, closed)
            ends.append(datetime.combine(last + timedelta(days=1), time(), zone))
    return min(ends).astimezone(UTC) if ends else None


def check_link(
    table: LinkTable | None,
    link: Mapping[str, object],
    at: datetime,
    action: str,
    by: str | None,
    holidays: Sequence[date],
    tz: str,
) -> Decision:
    """Whether a link may be used now (``action``: download, open, print). ``link`` says reader, issued_at, first_use_at, prints, opens, revoked."""
    table = table or LinkTable()
    zone = ZoneInfo(tz)
    if link.get("revoked"):
        return _refused("LINK_REVOKED")
    if table.same_reader_only and (by is None or by != link.get("reader")):
        return _refused("WRONG_READER")
    issued, first = _instant(link.get("issued_at")), _instant(link.get("first_use_at"))
    counts: dict[str, object] = {}
    if table.use_period is not None and first is not None and action in {"open", "print"}:
        over = _use_over(table.use_period, first, at, zone, holidays, counts)
        if over:
            return _refused("USE_PERIOD_OVER", counts)
    else:
        end = _ttl_end(table, issued, first, zone)
        if end is not None:
            counts["until"] = _local(end, zone)
            if at >= end:
                return _refused("LINK_EXPIRED", counts)
    if action == "open" and table.opens is not None:
        done = _number(link.get("opens"))
        counts |= {"opens_done": done, "opens_limit": table.opens}
        if done >= table.opens:
            return _refused("OPEN_LIMIT", counts)
    if action == "print" and table.prints is not None:
        done = _number(link.get("prints"))
        counts |= {"prints_done": done, "prints_limit": table.prints}
        if done >= table.prints:
            return _refused("PRINT_LIMIT", counts)
    return Decision(Outcome.ALLOW, "OK", (), counts)  # type: ignore[arg-type]  # link counts are flat


def _ttl_end(table: LinkTable, issued: datetime | None, first: datetime | None, zone: ZoneInfo) -> datetime | None:
    ends = []
    if table.ttl is not None:
        start = issued if (table.ttl_from or "sent") == "sent" else first
        if start is not None:
            ends.append(table.ttl.after(start, zone))
    if table.unopened is not None and first is None and issued is not None:
        ends.append(table.unopened.after(issued, zone))
    return min(ends) if ends else None


def _use_over(
    use: UsePeriod, first: datetime, at: datetime, zone: ZoneInfo, holidays: Sequence[date], counts: dict[str, object]
) -> bool:
    if use.duration is not None:
        end = use.duration.after(first, zone)
        counts["until"] = _local(end, zone)
        return at >= end
    last = last_business_day(first.astimezone(zone).date(), use.business_days, use.count_first_day, holidays)
    counts["last_day"] = last.isoformat()
    return at >= datetime.combine(last + timedelta(days=1), time(), zone)


def last_business_day(first: date, days: int, count_first_day: bool, holidays: Sequence[date]) -> date:
    """The ``days``-th business day from first use. The first day counts only when asked for, and only if it is one."""
    closed = set(holidays)
    day, left = first, days
    if not (count_first_day and day.weekday() < 5 and day not in closed):
        day += timedelta(days=1)
    while True:
        if day.weekday() < 5 and day not in closed:
            left -= 1
            if left == 0:
                return day
        day += timedelta(days=1)


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).replace(tzinfo=None).isoformat()


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _refused(reason: str, counts: Mapping[str, object] | None = None) -> Decision:
    return Decision(Outcome.DENY, reason, (reason,), counts or {})  # type: ignore[arg-type]  # link counts are flat


def check_retention(
    agreements: Sequence[Agreement], record: Mapping[str, object], at: datetime, action: str, tz: str
) -> Decision:
    """Whether a record may be purged or its reader anonymised now. The last day is inclusive, dates are the library's."""
    zone = ZoneInfo(tz)
    if record.get("legal_hold"):
        return _refused("LEGAL_HOLD")
    keep: list[date] = []
    identity: list[date] = []
    for agreement in agreements:
        retain = agreement.retain
        if retain is None or (retain.record == "declaration" and not record.get("declaration")):
            continue
        start = _instant(record.get(retain.since)) or _instant(record.get("requested_at"))
        if start is None:
            continue
        day = start.astimezone(zone).date()
        end = date(day.year + retain.years, 12, 31) if retain.duration is None else retain.duration.date_after(day)
        keep.append(end)
        if retain.identity:
            identity.append(end)
    counts: dict[str, object] = {
        "keep_until": max(keep).isoformat() if keep else None,
        "identity_until": max(identity).isoformat() if identity else None,
    }
    today = at.astimezone(zone).date()
    if action == "purge" and keep and today <= max(keep):
        return _refused("RETENTION_NOT_OVER", counts)
    if action == "anonymise" and identity and today <= max(identity):
        return _refused("READER_IDENTITY_REQUIRED", counts)
    return Decision(Outcome.ALLOW, "OK", (), counts)  # type: ignore[arg-type]  # retention counts are flat
