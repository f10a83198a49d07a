"""What the ledger needs to know: which scopes a decision locks and reads, and which slots it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from drm.agreement_rules import Rule
from drm.agreements import Agreement
from drm.decisions import Decision
from drm.facts.reading import Facts, issn_map, keys_of
from drm.policy.counting import applies
from drm.policy.rules import earliest, joint

MISSING = "?"


@dataclass(frozen=True)
class Scope:
    """What one limit counts by. ``key`` names the lock row, without a window; records before ``since`` cannot count.

    A part that is None is missing and never equals another.
    """

    agreement: str
    rule: str
    key: str
    parts: Mapping[str, str | None]
    since: datetime | None


def scope_key(rule: str, parts: Mapping[str, str | None]) -> str:
    """The stable name of a scope."""
    return "|".join([rule, *(f"{part}={value if value is not None else MISSING}" for part, value in parts.items())])


def scopes(policies: Sequence[Sequence[Agreement]], facts: Mapping[str, object]) -> tuple[Scope, ...]:
    """The scopes of all limits of the routes that apply and look back, by key."""
    asking = Facts(facts, issn_map(facts))
    found: dict[str, Scope] = {}
    for own in joint(asking, facts):
        keys = keys_of(own)
        for agreements in policies:
            for agreement in agreements:
                for rule in agreement.rules:
                    if rule.type == "limit" and rule.window.type != "request" and applies(rule, own):
                        parts = {part: keys[part] for part in rule.per}
                        key = scope_key(rule.id, parts)
                        found[key] = Scope(agreement.id, rule.id, key, parts, earliest(rule, own))
    return tuple(found[key] for key in sorted(found))


def record_keys(facts: Mapping[str, object]) -> Mapping[str, str | None]:
    """The parts by which a record of these facts is found again: the very ones that deciding compares."""
    return keys_of(Facts(facts, issn_map(facts)))


PERSONAL = frozenset({"reader.category", "reader.group", "request.purpose"})
"""What is known of a reader beside his key, and no longer than he is."""


def is_personal(rule: Rule) -> bool:
    """Whether any test of a rule asks for what is known of the reader."""
    tests = [*rule.when, *rule.require]
    tests += [test for table in rule.unless for test in table] + [test for line in rule.tariff for test in line.when]
    return any(test.path in PERSONAL or (isinstance(test.value, str) and test.value in PERSONAL) for test in tests)


def without_person(facts: Mapping[str, object], agreements: Sequence[Agreement]) -> dict[str, object]:
    """The facts of a record without what is known of the reader. What limits of these agreements ask of it is answered first.

    So the record keeps counting for a library exactly as before. Answers that stand already are kept.
    """
    own = Facts(facts, issn_map(facts))
    rules = {rule.id: rule for agreement in agreements for rule in agreement.rules}
    answers = {rule.id: applies(rule, own) for rule in rules.values() if rule.type == "limit" and is_personal(rule)}
    known = facts.get("settled")
    settled = {**answers, **(known if isinstance(known, Mapping) else {})}
    thin = thinned(facts)
    return {**thin, "settled": settled} if settled else thin


def thinned(facts: Mapping[str, object]) -> dict[str, object]:
    """The facts without what is known of the reader."""
    found: dict[str, object] = {}
    for group, values in facts.items():
        if isinstance(values, Mapping):
            found[group] = {name: value for name, value in values.items() if f"{group}.{name}" not in PERSONAL}
        else:
            found[group] = values
    return found


def held_rules(decision: Decision) -> tuple[tuple[str, str], ...]:
    """The limits of the winning route for which a slot is taken, with their scopes."""
    return tuple(
        (result.rule, f"{result.rule}|{result.scope}" if result.scope else result.rule)
        for result in decision.rules
        if result.type == "limit" and result.window != "request" and result.agreement not in decision.overridden
    )
