"""One rule, one answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from zoneinfo import ZoneInfo

from drm.agreement_rules import Effect, Rule, TariffLine
from drm.agreements import Agreement
from drm.decisions import Outcome, RuleResult
from drm.facts.conditions import Truth, all_hold
from drm.facts.durations import Duration
from drm.facts.reading import Facts, keys_of
from drm.policy.counting import History, Record, applies, counted, instant_of, measure, period, present, zone_of


def judge_rule(
    agreement: Agreement, rule: Rule, facts: Facts, readers: Sequence[Facts], history: History
) -> RuleResult | None:
    """The result of a rule, None when it does not apply. ``readers`` holds the facts once for each joint reader (limits only)."""
    if rule.type == "limit":
        results = [_limit(agreement, rule, own, history) for own in readers if applies(rule, own)]
        return max(results, key=lambda result: result.outcome) if results else None
    if not applies(rule, facts):
        return None
    match rule.type:
        case "gate":
            return _gate(agreement, rule, facts)
        case "declare":
            return _declare(agreement, rule, facts)
        case _:
            return _fee(agreement, rule, facts)


def _result(
    agreement: Agreement, rule: Rule, effect: Effect | None, counts: Mapping[str, object] | None = None
) -> RuleResult:
    outcome = effect.outcome if effect else Outcome.ALLOW
    reason = effect.reason if effect else "OK"
    return RuleResult(agreement.id, agreement.version, rule.id, rule.type, outcome, reason, counts or {})


def _gate(agreement: Agreement, rule: Rule, facts: Facts) -> RuleResult:
    answers = [(test, test.check(facts)) for test in rule.require]
    failed = [test for test, answer in answers if answer is Truth.NO]
    if failed:
        result = _result(agreement, rule, rule.effect)
        dates = [test.holds_from(facts) for test in failed]
        known = [day for day in dates if day is not None]
        return replace(result, resets=max(known).isoformat()) if known and len(known) == len(dates) else result
    if any(answer is not Truth.YES for _, answer in answers):
        return _result(agreement, rule, rule.on_unknown or rule.effect)
    return _result(agreement, rule, None)


def _declare(agreement: Agreement, rule: Rule, facts: Facts) -> RuleResult:
    made = set(facts.strings("request.declarations"))
    enough = set(rule.all_of) <= made if rule.all_of else bool(set(rule.any_of) & made)
    return _result(agreement, rule, None if enough else rule.effect)


def _limit(agreement: Agreement, rule: Rule, facts: Facts, history: History) -> RuleResult:
    keys = keys_of(facts)
    now = present(rule.window, facts)
    records = counted(rule, facts, keys, history, now)
    effect, counts = _weigh(rule, facts, records)
    scope = "|".join(f"{part}={keys[part] or '?'}" for part in rule.per)
    result = replace(_result(agreement, rule, effect, counts), scope=scope, window=rule.window.type)
    return replace(result, resets=_resets(rule, facts, records, now, effect is not None))


def _weigh(rule: Rule, facts: Facts, records: Sequence[Record]) -> tuple[Effect | None, dict[str, object]]:
    found = [measure(kind, facts, records) for kind in rule.measures]
    counts: dict[str, object] = {}
    for count in found:
        counts.update(count.counts)
    if any(count.kept for count in found):
        return None, counts
    unknown = any(count.kept is None for count in found)
    return (rule.on_unknown or rule.effect) if unknown else rule.effect, counts


def _resets(rule: Rule, facts: Facts, records: Sequence[Record], now: datetime | None, breached: bool) -> str:
    """When the count starts again: an instant with the zone's offset, "never" when this request alone is too much, "" without reset."""
    window = rule.window
    if now is None or window.type in {"request", "lifetime"}:
        return ""
    zone = zone_of(window, facts)
    if window.type == "calendar":
        return period(window.unit, now, zone)[1].astimezone(zone).isoformat()
    if not breached or window.duration is None:
        return ""
    if _weigh(rule, facts, [])[0] is not None:
        return "never"
    leaving = sorted(
        _leaves(window.duration, instant, zone)
        for record in records
        if (instant := instant_of(window, record)) is not None
    )
    # Fewer records never breach more, so the first instant that passes is found by halving.
    first = bisect_left(leaving, True, key=lambda moment: _passes(rule, facts, records, moment))
    return leaving[first].astimezone(zone).isoformat() if first < len(leaving) else ""


def _leaves(duration: Duration, instant: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which a record is as old as the window is long.

    A month after 31 January is 28 February, yet a month before that is 28 January: such a record leaves when March begins.
    """
    moment = duration.after(instant, zone)
    if duration.before(moment, zone) >= instant:
        return moment
    return datetime.combine(moment.astimezone(zone).date() + timedelta(days=1), time(), zone).astimezone(UTC)


def _passes(rule: Rule, facts: Facts, records: Sequence[Record], moment: datetime) -> bool:
    """Whether this very request would pass at a later moment, when some records have left the window."""
    window, zone = rule.window, zone_of(rule.window, facts)
    assert window.duration is not None
    edge = window.duration.before(moment, zone)
    left = [record for record in records if (instant := instant_of(window, record)) is None or edge < instant]
    return _weigh(rule, facts, left)[0] is None


def _fee(agreement: Agreement, rule: Rule, facts: Facts) -> RuleResult:
    amount: int | str | None = None
    for line in rule.tariff:
        if all(test.check(facts) is Truth.YES for test in line.when):
            exact = _amount(line, facts)
            if exact is not None:
                amount = _spell(exact, rule.minor)
                break
    return _result(agreement, rule, rule.effect, {"amount": amount, "currency": rule.currency})


def _amount(line: TariffLine, facts: Facts) -> Decimal | None:
    pages = Decimal(len(facts.pages() or {1}))
    if line.first_page is not None:
        amount = line.first_page + (pages - 1) * line.next_page
    elif line.per_page is not None:
        amount = pages * line.per_page
    else:
        price, total = facts.number("work.price"), facts.number("work.pages")
        if price is None or total is None or total <= 0 or line.price_times is None:
            return None
        # Multiplied before dividing: an exact share must not lose its last digit.
        amount = price * pages * line.price_times / total
    return amount if line.minimum is None else max(amount, line.minimum)


def _spell(amount: Decimal, minor: int) -> int | str:
    """Rounded up to the smallest unit; whole amounts as numbers."""
    unit = Decimal(1).scaleb(-minor)
    rounded = amount.quantize(unit, rounding=ROUND_CEILING)
    return int(rounded) if rounded == int(rounded) else str(rounded)


def earliest(rule: Rule, facts: Facts) -> datetime | None:
    """The instant before which no record can count for a limit; None when any can. May be too early, never too late."""
    now = present(rule.window, facts)
    if now is None or rule.window.type == "lifetime":
        return None
    zone = zone_of(rule.window, facts)
    if rule.window.type == "calendar":
        return period(rule.window.unit, now, zone)[0]
    if rule.window.duration is None:
        return None
    return rule.window.duration.before(now, zone).astimezone(UTC)


def joint(facts: Facts, tree: Mapping[str, object]) -> list[Facts]:
    """The facts once for each joint reader; only the reader's id differs."""
    readers = tree.get("joint_readers")
    if not isinstance(readers, list | tuple) or not readers:
        return [facts]
    own = tree.get("reader")
    base = dict(own) if isinstance(own, Mapping) else {}
    return [
        Facts({**tree, "reader": {**base, "id": reader}}, facts.issn_l, facts.zone, facts.strict) for reader in readers
    ]


__all__ = ["all_hold", "earliest", "joint", "judge_rule"]
