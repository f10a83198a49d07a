"""What is allowed in a file of agreements and yet is probably a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from drm.agreement_rules import Conditions, Rule
from drm.agreement_slips import agreement_slips, rule_slips
from drm.agreement_slips import meant as _meant
from drm.agreements import Agreement
from drm.facts.conditions import AGES, Condition, equal
from drm.reasons import reason_codes

# Facts that every request has, whatever else is missing.
ALWAYS = frozenset({"request.at", "request.copies", "entity.tz"})
# The facts that have a meaning of their own; docs/agreements.md explains them. A flag may have any name.
FACTS = {
    "entity": "id group tz country for_profit",
    "supplier": "country source",
    "reader": "id group category registered",
    "request": "at fill_at item via copies article pages chapters words purpose delivery declarations",
    "work": "id issn class genre rights pages counted_pages price published",
    "issue": "id date next_published themed",
}
KNOWN = tuple(f"{group}.{name}" for group, names in FACTS.items() for name in names.split())


def warnings(agreements: Sequence[Agreement]) -> list[str]:
    """A line for each ``when`` that can never hold, fact or reason that is likely misspelt, and two agreements that count the same."""
    found = []
    for agreement in agreements:
        found += [f"{agreement.id} v{agreement.version}: {line}" for line in agreement_slips(agreement)]
        for rule in agreement.rules:
            where = f"{agreement.id} v{agreement.version}, {rule.id}"
            why = idle(rule)
            if why:
                found.append(f"{where}: 'when' can never hold: {why}")
            found += [f"{where}: {line}" for line in (*_misspelt(rule), *rule_slips(rule, agreement))]
    return found + [line for one, other in combinations(agreements, 2) for line in _shared(one, other)]


def _misspelt(rule: Rule) -> Iterator[str]:
    """Facts that nobody supplies and reasons without a sentence. Both are allowed: a path may name any fact."""
    tables = [rule.when, rule.require, *rule.unless, *(line.when for line in rule.tariff)]
    for path in dict.fromkeys(path for table in tables for test in table for path in _named(test)):
        if path not in KNOWN and path not in FACTS and not path.startswith("flags."):
            yield f"nobody supplies the fact {path}{_meant(path, KNOWN)}; a test of it is answered as for an unknown fact"
    for effect in (rule.effect, rule.on_unknown):
        if effect and effect.reason not in reason_codes():
            yield f"there is no sentence for {effect.reason}{_meant(effect.reason, reason_codes())}; the reader gets a general one"


def _named(test: Condition) -> Iterator[str]:
    """The facts that a test looks at."""
    yield test.path
    if test.operator in {"same_as", "before_year_of"}:
        yield str(test.value)
    if test.operator in AGES:
        yield test.at


def idle(rule: Rule) -> str:
    """Why a rule never applies; "" when it can."""
    for test in rule.when:
        if test.operator == "known" and test.value is False:
            if test.path in ALWAYS:
                return f"{test.path} is always known"
            inner = next((other.path for other in rule.when if _needs_under(other, test.path)), "")
            if inner:
                return f"{test.path} is absent, yet {inner} is asked for"
        if test.path == "request.copies" and test.operator == "le" and Decimal(str(test.value)) < 0:
            return "request.copies is never negative"
        if test.operator == "same_as" and _apart(test, rule.when):
            return f"{test.path} and {test.value} differ"
    if any(all(_implied(test, rule.when) for test in table) for table in rule.unless):
        return "a table of 'unless' always switches the rule off again"
    return ""


def _needs_under(test: Condition, path: str) -> bool:
    needs = test.operator in {"is", "in", "le", "same_as"} or (test.operator == "known" and test.value is True)
    return needs and test.path.startswith(f"{path}.")


def _values(test: Condition) -> tuple[object, ...] | None:
    """The values a test permits, None when it is not a list of them."""
    if test.operator == "is":
        return (test.value,)
    return test.value if test.operator == "in" and isinstance(test.value, tuple) else None


def _apart(same: Condition, when: Conditions) -> bool:
    ours = [values for test in when if test.path == same.path and (values := _values(test)) is not None]
    theirs = [values for test in when if test.path == same.value and (values := _values(test)) is not None]
    return bool(ours and theirs) and not any(equal(a, b) for a in ours[0] for b in theirs[0])


def _implied(test: Condition, when: Conditions) -> bool:
    """Whether ``when`` makes a test of ``unless`` certain. Ages never are: an unknown one holds only in ``when``."""
    given = next((other for other in when if other.path == test.path), None)
    if given is None:
        return False
    values, wanted = _values(given), _values(test)
    if test.operator == "known":
        return test == given or (test.value is True and values is not None)
    if values is not None and wanted is not None:
        return all(any(equal(value, other) for other in wanted) for value in values)
    return test == given and test.operator in {"le", "same_as"}


def _shared(one: Agreement, other: Agreement) -> Iterator[str]:
    for ours in one.rules:
        for theirs in other.rules:
            if ours.type == theirs.type == "limit" and _counted(ours) == _counted(theirs):
                yield f"{one.id} ({ours.id}) and {other.id} ({theirs.id}) count the same thing"


def _counted(rule: Rule) -> tuple[object, ...]:
    when = sorted(repr(test) for test in rule.when)
    return {kind.name for kind in rule.measures}, set(rule.per), rule.window, rule.count, rule.hold, when
