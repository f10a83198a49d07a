"""From rules to a decision: the worst outcome of a route, the mildest route."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from drm.agreements import Agreement
from drm.decisions import Decision, Outcome, RuleResult
from drm.facts.reading import Facts, issn_map
from drm.policy.counting import History, read_record
from drm.policy.rules import joint, judge_rule

SETTLED = frozenset({Outcome.ALLOW, Outcome.NEEDS_DECLARATION, Outcome.NEEDS_APPROVAL})


def decide(
    policies: Sequence[Sequence[Agreement]],
    facts: Mapping[str, object],
    history: Sequence[Mapping[str, object]],
    strict: bool = False,
) -> Decision:
    """Decide about a request under its routes. Pure and total: unknown facts follow the conventions, nothing is raised.

    ``policies`` holds a route per legal basis; agreements of a route are ANDed, routes ORed, the first on a tie. No route at all
    is allow. ``strict`` (case files) raises FactError for facts that cannot mean anything.
    """
    tree = dict(facts)
    asking = Facts(tree, issn_map(tree), strict=strict)
    records = History([read_record(record, asking) for record in history if isinstance(record, Mapping)])
    digest = hashlib.sha256(_canonical(tree)).hexdigest()
    readers = joint(asking, tree)
    routes = [_route(agreements, asking, readers, records) for agreements in policies] or [
        _route((), asking, readers, records)
    ]
    best = min(range(len(routes)), key=lambda index: routes[index].outcome)
    return replace(routes[best], route=best if policies else None, facts_hash=digest)


def _canonical(tree: Mapping[str, object]) -> bytes:
    return json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _route(agreements: Sequence[Agreement], facts: Facts, readers: Sequence[Facts], history: History) -> Decision:
    results: dict[str, list[RuleResult]] = {}
    for agreement in agreements:
        found = (judge_rule(agreement, rule, facts, readers, history) for rule in agreement.rules)
        results[agreement.id] = [result for result in found if result is not None]
    removed = _removed(agreements, results)
    effective = [result for agreement in agreements if agreement.id not in removed for result in results[agreement.id]]
    worst = max((result.outcome for result in effective), default=Outcome.ALLOW)
    breaches = [result for result in effective if result.outcome is not Outcome.ALLOW]
    everything = [result for agreement in agreements for result in results[agreement.id]]
    return Decision(
        outcome=worst,
        reason=next((result.reason for result in breaches if result.outcome is worst), "OK"),
        all_reasons=tuple(sorted({result.reason for result in breaches})),
        counts={result.rule: result.counts for result in everything if result.counts},
        overridden=tuple(agreement.id for agreement in agreements if agreement.id in removed),
        rules=tuple(everything),
        obligations=_obligations([agreement for agreement in agreements if agreement.id not in removed]),
        agreements=tuple((agreement.id, agreement.version) for agreement in agreements),
    )


def _removed(agreements: Sequence[Agreement], results: Mapping[str, Sequence[RuleResult]]) -> frozenset[str]:
    """Licences that a statute sets aside: only while the statute itself does not refuse or ask for a fee."""
    gone: set[str] = set()
    for statute in agreements:
        own = max((result.outcome for result in results[statute.id]), default=Outcome.ALLOW)
        if not statute.overrides_contract or own not in SETTLED:
            continue
        for licence in agreements:
            spared = bool(licence.subject) and licence.subject == statute.overrides_except_subject
            if licence.kind == "licence" and not spared:
                gone.add(licence.id)
    return frozenset(gone)


def _obligations(agreements: Sequence[Agreement]) -> dict[str, object]:
    """The union of what the agreements oblige to."""
    found: dict[str, list[object]] = {}
    for agreement in agreements:
        for key, codes in agreement.oblige.items():
            kept = found.setdefault(key, [])
            kept.extend(code for code in codes if code not in kept)
        if agreement.retain is not None:
            retain = agreement.retain
            until = (
                f"end_of_year+{retain.years}"
                if retain.duration is None
                else f"P{retain.duration.amount}{retain.duration.unit}"
            )
            kept = found.setdefault("retain", [])
            kept.append(
                {
                    "agreement": agreement.id,
                    "record": retain.record,
                    "until": until,
                    "from": retain.since,
                    "reader_identity": "required" if retain.identity else "not_required",
                }
            )
        if agreement.report:
            found.setdefault("report", []).append({"agreement": agreement.id, **agreement.report})
    return dict(found)
