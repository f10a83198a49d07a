"""Recounts every limit that refuses, from the usage records alone, at each fill."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import groupby

from admin.fsck.guarding import guarded
from admin.wiring import Services
from delivery.services.deciding import parsed
from delivery.stores import AgreementVersion
from delivery.violations import Violation
from drm.agreement_rules import Rule
from drm.facts.reading import Facts, issn_map
from drm.policy.counting import read_record
from drm.policy.recounting import Supplied, can_recount, over
from storage.checks.supplied import Counted, logged_breaches, rules_with_slots, supplied_by_scope
from storage.unit_of_work import SqlWork


def over_limit(services: Services) -> Iterator[Violation]:
    """Copies that were supplied although a limit was reached, and that no officer wanted and no correction explains."""
    with services.store.read() as work:
        excused = logged_breaches(work.session)
        rules = rules_with_slots(work.session)
    for agreement, rule_id in rules:
        ids = {"check": "limits", "agreement": agreement, "rule": rule_id}
        yield from guarded(services, ids, partial(_of_rule, services, agreement, rule_id, excused))


def _of_rule(services: Services, agreement: str, rule_id: str, excused: frozenset[str]) -> Iterator[Violation]:
    with services.store.read() as work:
        known = work.agreements.versions(agreement)
        if agreement and not any(rule.id == rule_id for version in known for rule in parsed(version).rules):
            yield Violation("rule-unknown", {"agreement": agreement, "rule": rule_id}, "slots are held under it")
        for rule, versions in _texts(known, rule_id).items():
            yield from _over(work, agreement, rule, versions, excused)


def _texts(known: tuple[AgreementVersion, ...], rule_id: str) -> dict[Rule, frozenset[int]]:
    """Each wording of a rule with the versions that have it."""
    found: dict[Rule, set[int]] = defaultdict(set)
    for version in known:
        for rule in parsed(version).rules:
            if rule.id == rule_id and can_recount(rule):
                found[rule].add(version.version)
    return {rule: frozenset(versions) for rule, versions in found.items()}


def _over(
    work: SqlWork, agreement: str, rule: Rule, versions: frozenset[int], excused: frozenset[str]
) -> Iterator[Violation]:
    most = rule.measures[0].max
    everything = supplied_by_scope(work.session, rule.id, rule.per, most)
    for scope, group in groupby(everything, key=lambda one: one.scope):
        supplied = (_read(one, agreement, versions, excused) for one in group)
        for one, count in over(rule, supplied):
            request = one.claim.partition("/")[0]
            told = f"copy {count} where {most} are permitted, of {'|'.join(scope) or 'all'}"
            yield Violation("limit-exceeded", {"claim": one.claim, "request": request, "rule": rule.id}, told)


def _read(one: Counted, agreement: str, versions: frozenset[int], excused: frozenset[str]) -> Supplied:
    asking = Facts(dict(one.facts), issn_map(one.facts))
    content = {**one.facts, "status": "filled", "filled_at": one.filled_at.isoformat()}
    under = any(name == agreement and version in versions for name, version in one.agreements)
    bound = one.settled and under and not one.approved and one.request not in excused
    return Supplied(one.claim, read_record(content, asking), bound)
