"""The worked cases notice every change of meaning in their agreements: a limit by one, a scope, an exemption, a zone, a hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drm.agreement_rules import Effect, Rule
from drm.agreements import Agreement, load_file
from drm.cases import CaseError, decide_case
from drm.decisions import Outcome
from drm.facts.reading import FactError
from tests.drm.policy.own_cases import CASES

AGREEMENTS = load_file(Path(__file__).with_name("own_agreements.toml"))
OTHER = Effect(Outcome.NEEDS_APPROVAL, "CHANGED")
# The asking zone is New York or Dublin in every case of these rules, and hours are hours in each of them.
SAME_MEANING = {("half.hours", "zone")}


def changes(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Every one-step change of a rule that should mean something else."""
    yield "effect", replace(rule, effect=OTHER)
    for place, test in enumerate(rule.when):
        yield f"when {test.path}", replace(rule, when=rule.when[:place] + rule.when[place + 1 :])
    for place in range(len(rule.unless)):
        yield f"unless {place}", replace(rule, unless=rule.unless[:place] + rule.unless[place + 1 :])
    for place, test in enumerate(rule.require):
        if len(rule.require) > 1:
            yield f"require {test.path}", replace(rule, require=rule.require[:place] + rule.require[place + 1 :])
    for place, statement in enumerate(rule.all_of):
        yield f"all {statement}", replace(rule, all_of=rule.all_of[:place] + rule.all_of[place + 1 :])
    for place in range(len(rule.tariff)):
        yield f"tariff {place}", replace(rule, tariff=rule.tariff[:place] + rule.tariff[place + 1 :])
    if rule.on_unknown is not None:
        yield "on_unknown", replace(rule, on_unknown=OTHER)
    if rule.type == "limit":
        yield from _limits(rule)


def _limits(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for place, measure in enumerate(rule.measures):
        for by in (-1, 1):
            changed = (
                replace(measure, percent=measure.percent + by)
                if measure.percent
                else replace(measure, max=measure.max + by)
            )
            yield (
                f"limit {by:+}",
                replace(rule, measures=(*rule.measures[:place], changed, *rule.measures[place + 1 :])),
            )
        if len(rule.measures) > 1:
            yield (
                f"alternative {measure.name}",
                replace(rule, measures=rule.measures[:place] + rule.measures[place + 1 :]),
            )
        if measure.base:
            yield "base", replace(rule, measures=(replace(measure, base=""), *rule.measures[1:]))
    for part in rule.per:
        yield f"per {part}", replace(rule, per=tuple(one for one in rule.per if one != part))
    if rule.hold:
        yield "hold", replace(rule, hold=frozenset())
    for status in rule.count - {"cancelled"}:
        yield f"count {status}", replace(rule, count=rule.count - {status})
    if rule.window.type in {"calendar", "rolling"}:
        yield "zone", replace(rule, window=replace(rule.window, tz="Pacific/Kiritimati"))
        yield "lifetime", replace(rule, window=replace(rule.window, type="lifetime"))
    if rule.window.anchor == "filled_at":
        yield "anchor", replace(rule, window=replace(rule.window, anchor="requested_at"))


MUTANTS = [
    pytest.param(agreement, rule, changed, id=f"{rule.id}-{what}")
    for agreement in AGREEMENTS
    for rule in agreement.rules
    for what, changed in changes(rule)
    if (rule.id, what) not in SAME_MEANING
]


@pytest.mark.parametrize(("agreement", "rule", "changed"), MUTANTS)
def test_a_changed_rule_changes_the_answer_of_a_case(agreement: Agreement, rule: Rule, changed: Rule) -> None:
    rules = tuple(changed if one.id == rule.id else one for one in agreement.rules)
    by_id = {one.id: replace(one, rules=rules) if one.id == agreement.id else one for one in AGREEMENTS}

    assert any(_differs(by_id, case) for case in CASES if _names(case, agreement.id))


def _names(case: dict[str, object], agreement: str) -> bool:
    return agreement in str(case.get("policies", "")) + str(case.get("routes", ""))


def _differs(by_id: dict[str, Agreement], case: dict[str, object]) -> bool:
    expect = case["expect"]
    assert isinstance(expect, dict)
    try:
        found = decide_case(by_id, case)
    except (CaseError, FactError):
        return True
    counts = {name: dict(value) if hasattr(value, "items") else value for name, value in found.counts.items()}
    return (found.outcome.word, found.reason, list(found.all_reasons), counts) != (
        expect["decision"],
        expect["reason"],
        expect["all_reasons"],
        expect["counts"],
    )


def test_the_unchanged_agreements_differ_nowhere() -> None:
    by_id = {agreement.id: agreement for agreement in AGREEMENTS}

    assert not [case["id"] for case in CASES if _differs(by_id, case)]
    assert len(MUTANTS) > 80
