"""Reading facts: paths, zones, instants, partial dates, pages. Whatever is odd is unknown, never an exception, unless asked strictly."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
LABEL = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?")
PRICE = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
BLANKS = re.compile(r"[\s-]")
MOST_PAGES = 200_000


class FactError(ValueError):
    """A fact that cannot mean anything, found while reading strictly (case files)."""


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


class Facts:
    """A tree of facts about one request or one past record, with the zone of its library."""

    def __init__(
        self, tree: Mapping[str, object], issn_l: Mapping[str, str], zone: ZoneInfo | None = None, strict: bool = False
    ) -> None:
        self.tree = tree
        self.issn_l = issn_l
        self.strict = strict
        self.zone = self._zone(zone)

    def _zone(self, default: ZoneInfo | None) -> ZoneInfo:
        name = self.get("entity.tz")
        if isinstance(name, str):
            try:
                return ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                if self.strict:
                    raise FactError(f"entity.tz {name!r} is no zone") from None
        if default is None and self.strict:
            raise FactError("entity.tz is missing")
        return default or ZoneInfo("UTC")

    def get(self, path: str) -> object:
        """The fact at a path, None when absent. ``request.copies`` is 1 when absent."""
        value: object = self.tree
        for part in _parts(path):
            if type(value) is not dict and not isinstance(value, Mapping):
                value = None
                break
            value = value.get(part)
        return 1 if value is None and path == "request.copies" else value

    def text(self, path: str) -> str | None:
        """A fact as text; None when absent or no plain value."""
        value = self.get(path)
        if value is None or isinstance(value, bool | list | tuple | Mapping):
            return None
        return str(value) or None

    def number(self, path: str) -> Decimal | None:
        """A fact as a number; None when it is none. A price may be decimal text, as the amounts of a tariff are."""
        value = self.get(path)
        if path == "work.price" and isinstance(value, str) and PRICE.fullmatch(value):
            return Decimal(value)
        return as_number(value)

    def instant(self, path: str) -> datetime | None:
        """A fact as an instant; a time without offset is in the library's zone."""
        return as_instant(self.get(path), self.zone)

    def day(self, path: str, partial: str) -> date | None:
        """A date; partial ones read as their last (``latest``) or first day; None when unreadable."""
        return as_day(self.get(path), self.zone, partial)

    def strings(self, path: str) -> list[str]:
        """A list of texts; anything else is empty."""
        value = self.get(path)
        return [str(item) for item in value] if isinstance(value, list | tuple) else []

    def pages(self) -> frozenset[int] | None:
        """The pages asked for; None when unknown. A whole work without pages means all of its pages."""
        value = self.get("request.pages")
        if isinstance(value, list | tuple) and value:
            pages: set[int] = set()
            for label in value:
                found = (
                    LABEL.fullmatch(str(label))
                    if isinstance(label, str | int) and not isinstance(label, bool)
                    else None
                )
                first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
                if last < first or last - first > MOST_PAGES:
                    if self.strict:
                        raise FactError(f"page label {label!r} is not n or n-m")
                    return None
                pages.update(range(first, last + 1))
            return frozenset(pages)
        if self.get("request.item") == "whole_work":
            total = self.number("work.pages")
            if total is not None and 0 < total <= MOST_PAGES and total == int(total):
                return frozenset(range(1, int(total) + 1))
        return None


def as_number(value: object) -> Decimal | None:
    """An exact number; booleans and texts are none."""
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def as_instant(value: object, zone: ZoneInfo) -> datetime | None:
    """An aware instant; a time without offset is in ``zone``; None when unreadable."""
    if isinstance(value, datetime):
        found = value
    else:
        if not isinstance(value, str) or len(value) < 10:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def as_day(value: object, zone: ZoneInfo, partial: str) -> date | None:
    """The date of YYYY, YYYY-MM, YYYY-MM-DD or of an instant in ``zone``."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    found = PARTIAL.fullmatch(value)
    try:
        if found is None:
            instant = as_instant(value, zone)
            return None if instant is None else instant.astimezone(zone).date()
        year, late = int(found[1]), partial == "latest"
        month = int(found[2]) if found[2] else 12 if late else 1
        last = calendar.monthrange(year, month)[1]
        return date(year, month, int(found[3]) if found[3] else last if late else 1)
    except (ValueError, OverflowError):
        return None


def normal_issn(text: str) -> str:
    """An ISSN for comparing: no hyphen, upper-case X."""
    return BLANKS.sub("", text).upper()


def keys_of(facts: Facts) -> dict[str, str | None]:
    """The parts that scopes are made of. A missing part is None and never equals another."""
    issn = facts.text("work.issn")
    title: str | None = None
    if issn is not None:
        bare = normal_issn(issn)
        title = f"issn:{facts.issn_l.get(bare, bare)}"
    identifier = facts.text("work.id")
    own = f"work:{identifier}" if identifier is not None else None
    title = title or own
    return {
        "entity": facts.text("entity.group") or facts.text("entity.id"),
        "title": title,
        "work": own or title,
        "issue": facts.text("issue.id"),
        "article": facts.text("request.article"),
        "reader": facts.text("reader.id"),
        "reader_group": facts.text("reader.group"),
    }


def issn_map(tree: Mapping[str, object]) -> dict[str, str]:
    """The ISSN to ISSN-L map of a tree of facts, normalised on both sides."""
    value = tree.get("issn_l")
    if not isinstance(value, Mapping):
        return {}
    return {normal_issn(str(issn)): normal_issn(str(linking)) for issn, linking in value.items() if linking}
