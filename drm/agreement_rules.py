"""The rules of an agreement: gates, limits, declarations and fees."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drm.agreement_reading import Reader
from drm.decisions import Outcome
from drm.facts.conditions import OPERATORS, Condition
from drm.facts.durations import Duration

EFFECTS = ("deny", "needs_approval", "needs_fee", "needs_declaration")
PARTS = ("entity", "reader", "reader_group", "title", "issue", "article", "work")
STATUSES = ("filled", "reserved", "cancelled", "unfilled")
COUNTING = ("copies", "articles", "repeat", "other_readers", "pages", "chapters", "words")
MEASURES = (*COUNTING, "percent_pages")
COMMON = {"id", "type", "when", "unless", "effect", "reason", "on_unknown"}
OWN = {
    "gate": {"require"},
    "limit": {"measure", "max", "percent", "base", "any", "per", "window", "count", "hold"},
    "declare": {"by", "all", "any"},
    "fee": {"currency", "minor", "tariff"},
}
Conditions = tuple[Condition, ...]


@dataclass(frozen=True)
class Effect:
    """What happens when a rule is not met."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Measure:
    """What a limit counts, and how much of it is permitted. ``percent`` is exact; ``base`` names the fact with the total."""

    name: str
    max: int = 0
    percent: Decimal = Decimal(0)
    base: str = ""


@dataclass(frozen=True)
class Window:
    """The time over which a limit counts. ``tz`` is "" for the zone of the library that asks."""

    type: str
    unit: str = ""
    duration: Duration | None = None
    tz: str = ""
    anchor: str = "requested_at"


@dataclass(frozen=True)
class TariffLine:
    """One line of a fee: the first whose ``when`` holds is taken. Amounts are exact, in units of the currency."""

    when: Conditions
    first_page: Decimal | None = None
    next_page: Decimal = Decimal(0)
    per_page: Decimal | None = None
    price_times: Decimal | None = None
    minimum: Decimal | None = None


@dataclass(frozen=True)
class Rule:
    """One rule. Only the fields of its type are set."""

    id: str
    type: str
    effect: Effect
    when: Conditions = ()
    unless: tuple[Conditions, ...] = ()
    on_unknown: Effect | None = None
    require: Conditions = ()
    measures: tuple[Measure, ...] = ()
    per: tuple[str, ...] = ()
    window: Window = field(default_factory=lambda: Window("request"))
    count: frozenset[str] = frozenset()
    hold: frozenset[str] = frozenset()
    by: str = ""
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    currency: str = ""
    minor: int = 0
    tariff: tuple[TariffLine, ...] = ()


def read_rule(table: Reader) -> Rule:
    """One rule, checked; AgreementError names the key."""
    kind = table.one_of("type", OWN)
    table.only(COMMON | OWN[kind])
    unless = table.tables("unless")
    if any(not part.table for part in unless):
        raise table.wrong(
            "unless", "holds an empty table, which would always switch the rule off; give it a test or leave it out"
        )
    common = {
        "id": table.text("id"),
        "type": kind,
        "effect": _effect(table),
        "when": read_conditions(table.sub("when")),
        "unless": tuple(read_conditions(part) for part in unless),
        "on_unknown": _effect(table.sub("on_unknown")) if "on_unknown" in table else None,
    }
    if "on_unknown" in table:
        table.sub("on_unknown").only({"effect", "reason"})
    own = {"gate": _gate, "limit": _limit, "declare": _declare, "fee": _fee}[kind](table)
    return Rule(**{**common, **own})  # type: ignore[arg-type]  # the two dicts hold exactly the fields of Rule


def _effect(table: Reader) -> Effect:
    return Effect(Outcome.of(table.one_of("effect", EFFECTS)), table.text("reason"))


def read_conditions(table: Reader) -> Conditions:
    """A table of tests."""
    found = []
    for path, written in table.table.items():
        if "." not in path and isinstance(written, dict) and not set(written) & set(OPERATORS):
            inner = next(iter(written), "name")
            raise table.wrong(path, f'is a table; put the whole path in quotation marks, as "{path}.{inner}" = ...')
        try:
            found.append(Condition.parse(path, written))
        except ValueError as error:
            raise table.wrong(path, str(error)) from None
    return tuple(found)


def _gate(table: Reader) -> dict[str, object]:
    require = read_conditions(table.sub("require"))
    if not require:
        raise table.wrong("require", "needs at least one test")
    return {"require": require}


def _declare(table: Reader) -> dict[str, object]:
    if ("all" in table) == ("any" in table):
        raise table.wrong("all", "give either 'all' or 'any'")
    by = table.one_of("by", ("reader", "entity"))
    key = "all" if "all" in table else "any"
    statements = table.words(key)
    if not statements:
        raise table.wrong(key, "needs at least one statement")
    return {"by": by, "all_of": statements if key == "all" else (), "any_of": statements if key == "any" else ()}


def _limit(table: Reader) -> dict[str, object]:
    if "any" in table:
        for key in ("measure", "max", "percent", "base"):
            if key in table:
                raise table.wrong(key, "stands beside 'any'; write it inside its tables")
        measures = tuple(_measure(part) for part in table.tables("any"))
        keys = [key for measure in measures for key in _count_keys(measure)]
        if not measures or len(keys) != len(set(keys)):
            raise table.wrong("any", "needs alternatives that count different things")
    else:
        measures = (_measure(table),)
    if any(measure.name == "percent_pages" for measure in measures) and "on_unknown" not in table:
        raise table.wrong(
            "on_unknown", "is needed where a share is counted, since the total may be unknown; write what then happens"
        )
    window = _window(table.sub("window"))
    alone = window.type == "request"
    return {
        "measures": measures,
        "per": table.words("per", PARTS, () if alone else None),
        "window": window,
        # A limit on one request looks at no history, so it needs not say what of it counts.
        "count": frozenset(table.words("count", STATUSES, () if alone else None)),
        "hold": frozenset(table.words("hold", STATUSES, ())),
    }


def _count_keys(measure: Measure) -> tuple[str, ...]:
    return ("chapters",) if measure.name == "chapters" else ("used", "this", "limit")


def _measure(table: Reader) -> Measure:
    name = table.one_of("measure", MEASURES)
    if table.prefix:
        table.only({"measure", "max", "percent", "base"})
    if name == "percent_pages":
        if "max" in table:
            raise table.wrong("max", "does not go with a share; write 'percent' instead")
        percent = table.parsed("percent", _exact, "the share, such as 10")
        if percent > 100:
            raise table.wrong("percent", "is more than the whole; write at most 100")
        return Measure(name, percent=percent, base=table.text("base", ""))
    for key in ("percent", "base"):
        if key in table:
            raise table.wrong(key, "belongs to percent_pages only; leave it out")
    return Measure(name, table.whole("max"))


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError('must be a whole number or a decimal text such as "2.5"')
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f'{value!r} is no number; write it such as "2.5"') from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"{value!r} must be a number of at least 0")
    return number


def _window(table: Reader) -> Window:
    allowed = {
        "request": {"type"},
        "lifetime": {"type", "anchor"},
        "calendar": {"type", "unit", "starts", "tz", "anchor"},
        "rolling": {"type", "duration", "tz", "anchor"},
    }
    kind = table.one_of("type", allowed)
    table.only(allowed[kind])
    anchor = table.one_of("anchor", ("requested_at", "filled_at"), "requested_at")
    unit = table.one_of("unit", ("year", "month", "week", "day")) if kind == "calendar" else ""
    table.one_of("starts", ("monday",), "monday")
    tz = table.text("tz", "entity")
    if tz != "entity":
        try:
            ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise table.wrong("tz", f"{tz!r} is no time zone; write entity or one such as Europe/Dublin") from None
    duration = table.parsed("duration", Duration.lasting) if kind == "rolling" else None
    return Window(kind, unit, duration, "" if tz == "entity" else tz, anchor)


def _fee(table: Reader) -> dict[str, object]:
    lines = []
    for line in table.tables("tariff"):
        line.only({"when", "first_page", "next_page", "per_page", "price_per_page_times", "minimum"})
        ways = [key for key in ("first_page", "per_page", "price_per_page_times") if key in line]
        if len(ways) != 1:
            raise line.wrong("per_page", "give one of first_page, per_page, price_per_page_times")
        if "next_page" in line and "first_page" not in line:
            raise line.wrong("next_page", "belongs to first_page; give that too, or leave it out")
        lines.append(
            TariffLine(
                read_conditions(line.sub("when")),
                _amount(line, "first_page"),
                _amount(line, "next_page") or Decimal(0),
                _amount(line, "per_page"),
                _amount(line, "price_per_page_times"),
                _amount(line, "minimum"),
            )
        )
    if not lines:
        raise table.wrong("tariff", "needs at least one line")
    return {
        "currency": table.text("currency"),
        "minor": table.whole("minor") if "minor" in table else 0,
        "tariff": tuple(lines),
    }


def _amount(table: Reader, key: str) -> Decimal | None:
    return table.parsed(key, _exact) if key in table else None
