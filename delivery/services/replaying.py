"""Decides stored decisions again, from what was stored with them, and tells where the answer differs."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.deciding import agreement_pairs, history_record, parsed
from delivery.services.titling import also_by
from delivery.services.unlinking import FORGOTTEN
from drm.agreement_rules import Rule
from drm.agreements import Agreement
from drm.decisions import Decision
from drm.policy import decide
from drm.quota import is_personal, scopes

BATCH = 200


@dataclass(frozen=True)
class Replayed:
    """A decision that was decided again. ``differs`` names the fields whose value is another one now; empty is as it must be.

    ``left_out`` names the rules that were not recounted, because what they count by was forgotten with a reader.
    """

    request: str
    stored: Decision
    now: Decision
    differs: tuple[str, ...]
    tzdata: tuple[str, str]
    left_out: tuple[str, ...] = ()


def replay(ctx: Context, number: str) -> Replayed | None:
    """Decide a request again under the versions, facts and history that its stored decision saw; None without a decision.

    Raises NotFound for an unknown request.
    """
    with ctx.store.read() as work:
        return _again(work, work.requests.get(number))


def replay_all(ctx: Context, since: datetime | None, until: datetime | None) -> Iterator[Replayed]:
    """Every stored decision of requests made in [since, until), oldest first."""
    after = ""
    while True:
        with ctx.store.read() as work:
            batch = work.requests.created_between(since, until, after, BATCH)
            found = [_again(work, request) for request in batch]
        yield from (one for one in found if one is not None)
        if len(batch) < BATCH:
            return
        after = batch[-1].number


def _again(work: Work, request: DocumentRequest) -> Replayed | None:
    kept = request.decision
    stored, facts = kept.get("decision"), kept.get("facts")
    if not isinstance(stored, Mapping) or not isinstance(facts, Mapping) or not facts:
        return None
    agreements = tuple(parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request))
    wanted = scopes([agreements], facts)
    # Records may have been re-keyed since: the parts as they were then are asked for, and as they are now.
    keys = [(parts, scope.since) for scope in wanted for parts in also_by(work, scope.parts)]
    records = work.ledger.history_at(keys, int(str(kept.get("head", 0))), str(kept.get("claim", "")))
    now = decide([agreements], facts, [history_record(record) for record in records])
    before = Decision.from_dict(stored)
    left_out = _left_out(work, request, agreements, before, now)
    zones = (str(kept.get("tzdata", "")), importlib.metadata.version("tzdata"))
    return Replayed(request.number, before, now, _differences(before, now, kept, left_out), zones, left_out)


def _differences(
    before: Decision, now: Decision, kept: Mapping[str, object], left_out: tuple[str, ...]
) -> tuple[str, ...]:
    """The fields that differ. Where rules are left out only the others can be compared, rule by rule."""
    stored, after = before.to_dict(), now.to_dict()
    if not left_out:
        # Facts that were thinned have another hash.
        skipped = {"facts_hash"} if kept.get("forgotten") else set()
        return tuple(name for name, value in stored.items() if name not in skipped and after.get(name) != value)
    rest = [tuple(rule for rule in one.rules if rule.rule not in left_out) for one in (before, now)]
    return () if rest[0] == rest[1] else ("rules",)


def _left_out(
    work: Work, request: DocumentRequest, agreements: tuple[Agreement, ...], before: Decision, now: Decision
) -> tuple[str, ...]:
    """The rules that cannot be recounted: of a forgotten reader his own, and those that ask what was known of him.

    What is counted by groups of readers, or by how many readers there were, changes for others too when one is forgotten.
    """
    gone = request.decision.get("forgotten")
    rules = [rule for agreement in agreements for rule in agreement.rules]
    found = [rule.id for rule in rules if gone and _rests_on_reader(rule, gone == FORGOTTEN)]
    answers = [{result.rule: result for result in one.rules} for one in (before, now)]
    others = [rule.id for rule in rules if _together(rule) and answers[0].get(rule.id) != answers[1].get(rule.id)]
    if others and work.privacy.any_nameless(request.library_id):
        found += others
    return tuple(dict.fromkeys(found))


def _together(rule: Rule) -> bool:
    return "reader_group" in rule.per or any(one.name == "other_readers" for one in rule.measures)


def _rests_on_reader(rule: Rule, forgotten: bool) -> bool:
    own = {"reader", "reader_group"} if forgotten else {"reader_group"}
    return bool(own & set(rule.per)) or is_personal(rule) or (forgotten and _together(rule))
