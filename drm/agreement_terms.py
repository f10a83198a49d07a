"""The tables of an agreement that say what a copy may do, how long its link lives, and what is owed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from drm.agreement_reading import Reader
from drm.business_days import is_known
from drm.facts.durations import Duration

LISTS = ("stamp", "notices")
RETAIN_UNTIL = re.compile(r"end_of_year\+(\d{1,3})")


@dataclass(frozen=True)
class CopyTable:
    """The ``copy`` table; None where the agreement is silent."""

    encrypt: bool | None = None
    print: str | None = None
    copy_text: bool | None = None
    password: str | None = None
    view_only: bool | None = None
    show_name: bool | None = None


@dataclass(frozen=True)
class UsePeriod:
    """Time from first use: a duration, or a number of business days of a holiday calendar."""

    duration: Duration | None = None
    business_days: int = 0
    count_first_day: bool = False
    calendar: str = ""


@dataclass(frozen=True)
class LinkTable:
    """The ``link`` table; None or "" where the agreement is silent."""

    preset: str = ""
    ttl: Duration | None = None
    ttl_from: str | None = None
    unopened: Duration | None = None
    renewals: int | None = None
    max_bytes: int | None = None
    same_device: bool | None = None
    use_period: UsePeriod | None = None
    prints: int | None = None
    opens: int | None = None
    same_reader_only: bool | None = None


@dataclass(frozen=True)
class Retain:
    """How long a record is kept: a duration, or the end of the N-th year after."""

    record: str
    duration: Duration | None
    years: int
    since: str
    identity: bool


def read_copy(table: Reader) -> CopyTable:
    """The ``copy`` table."""
    table.only({"encrypt", "print", "copy_text", "password", "view_only", "show_name"})
    words = {"print": ("none", "low", "full"), "password": ("none", "reader")}
    flags = {
        key: table.flag(key) if key in table else None for key in ("encrypt", "copy_text", "view_only", "show_name")
    }
    texts = {key: table.one_of(key, known) if key in table else None for key, known in words.items()}
    return CopyTable(
        flags["encrypt"], texts["print"], flags["copy_text"], texts["password"], flags["view_only"], flags["show_name"]
    )


def read_link(table: Reader) -> LinkTable:
    """The ``link`` table."""
    table.only(LinkTable.__dataclass_fields__)
    return LinkTable(
        preset=table.text("preset", ""),
        ttl=table.parsed("ttl", Duration.lasting) if "ttl" in table else None,
        ttl_from=table.one_of("ttl_from", ("sent", "first_use")) if "ttl_from" in table else None,
        unopened=table.parsed("unopened", Duration.lasting) if "unopened" in table else None,
        renewals=table.whole("renewals") if "renewals" in table else None,
        max_bytes=table.whole("max_bytes", 1) if "max_bytes" in table else None,
        same_device=table.flag("same_device") if "same_device" in table else None,
        use_period=_use_period(table.sub("use_period")) if "use_period" in table else None,
        prints=table.whole("prints") if "prints" in table else None,
        opens=table.whole("opens") if "opens" in table else None,
        same_reader_only=table.flag("same_reader_only") if "same_reader_only" in table else None,
    )


def _use_period(table: Reader) -> UsePeriod:
    table.only({"business_days", "duration", "from", "count_first_day", "calendar"})
    table.one_of("from", ("first_use",), "first_use")
    if ("business_days" in table) == ("duration" in table):
        raise table.wrong("duration", "give either duration or business_days")
    if table.text("calendar", "") and not is_known(table.text("calendar")):
        raise table.wrong("calendar", "is not known; write a country or province such as CA or CA-ON")
    return UsePeriod(
        table.parsed("duration", Duration.lasting) if "duration" in table else None,
        table.whole("business_days", 1) if "business_days" in table else 0,
        table.flag("count_first_day", False),
        table.text("calendar", ""),
    )


def read_texts(table: Reader) -> Mapping[str, str]:
    """One text per language, in the sequence written."""
    return {language: table.text(language) for language in table.table}


def read_statements(table: Reader) -> Mapping[str, Mapping[str, str | int]]:
    """The agreement's own words for statements: by code, in both languages, with a version of the words."""
    found: dict[str, Mapping[str, str | int]] = {}
    for code in table.table:
        words = table.sub(code)
        words.only({"en", "zh", "version"})
        found[code] = {"en": words.text("en"), "zh": words.text("zh"), "version": words.whole("version", 1)}
    return found


def read_oblige(table: Reader) -> tuple[Mapping[str, tuple[str, ...]], Retain | None, Mapping[str, str]]:
    """The ``oblige`` table: lists of codes, what to retain, what to report."""
    table.only({"stamp", "notices", "intermediate_copy", "delivered_file", "retain", "report"})
    codes: dict[str, tuple[str, ...]] = {key: table.words(key) for key in LISTS if key in table}
    for key in ("intermediate_copy", "delivered_file"):
        if key in table:
            codes[key] = (table.text(key),)
    report = table.sub("report")
    report.only({"to", "per"})
    reported = {key: report.text(key) for key in report.table}
    return codes, _retain(table.sub("retain")) if "retain" in table else None, reported


def _retain(table: Reader) -> Retain:
    table.only({"record", "until", "from", "reader_identity"})
    until = table.text("until")
    years = RETAIN_UNTIL.fullmatch(until)
    close = re.fullmatch(r"end_of_year\s*\+?\s*(\d{1,3})", until)
    if close and not years:
        raise table.wrong("until", f"{until!r} is not read; write end_of_year+{close[1]}, without blanks")
    since = table.one_of("from", ("requested_at", "filled_at"), "requested_at")
    identity = table.one_of("reader_identity", ("required", "not_required"), "not_required")
    duration = None if years else table.parsed("until", lambda value: Duration.parse(value, hours=False))
    return Retain(table.text("record"), duration, int(years[1]) if years else 0, since, identity == "required")
