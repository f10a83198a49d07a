"""What a new text of an agreement would have done to the requests of a past period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.deciding import agreement_pairs, history_record, parsed
from delivery.services.titling import linked
from delivery.stores import UsageRecord
from drm.agreements import Agreement
from drm.decisions import Decision, Outcome
from drm.policy import decide
from drm.quota import Scope, record_keys, scopes

BATCH = 200


@dataclass(frozen=True)
class Changed:
    """One request that the new text would have answered otherwise."""

    request: str
    title: str
    library_id: str
    at: datetime
    supplied: bool
    before: Decision
    after: Decision


@dataclass(frozen=True)
class Simulation:
    """The result: how many requests the agreement decided, how many of them were supplied, and those that would change."""

    decided: int
    supplied: int
    refused: tuple[Changed, ...]
    freed: tuple[Changed, ...]
    otherwise: tuple[Changed, ...]


@dataclass(frozen=True)
class _Reach:
    """Which requests a text is tried on that did not fall under its id: those of some sources or libraries, or all."""

    fresh: Mapping[str, Agreement]
    new: frozenset[str]
    sources: frozenset[str]
    libraries: frozenset[str]

    def added(self, request: DocumentRequest) -> tuple[str, ...]:
        """The ids that a request would fall under besides those of its decision."""
        here = request.source_id in self.sources or request.library_id in self.libraries
        everywhere = not self.sources and not self.libraries
        known = {name for name, _ in agreement_pairs(request)}
        ids = self.fresh if here else self.new if everywhere else ()
        return tuple(sorted(set(ids) - known)) if known or here else ()


class _Past:
    """The history as it would have become: what stood before the period, and what the new text would have let pass since."""

    def __init__(self, work: Work, start: datetime, reach: _Reach) -> None:
        self._work, self._start, self._reach = work, start, reach
        self._widened: dict[str, UsageRecord] = {}
        self._passed: dict[tuple[str, str], list[UsageRecord]] = defaultdict(list)

    def add(self, record: UsageRecord) -> None:
        for name, value in record.keys.items():
            if value is not None:
                self._passed[(name, value)].append(record)

    def under(self, record: UsageRecord) -> UsageRecord:
        """A record as it would count, had the new ids held for it."""
        if record.claim not in self._widened:
            more = self._reach.added(self._work.requests.get(record.request))
            self._widened[record.claim] = replace(record, under=(*record.under, *more))
        return self._widened[record.claim]

    def of(self, wanted: Sequence[Scope]) -> list[UsageRecord]:
        found: dict[str, UsageRecord] = {}
        for scope in wanted:
            for record in self._work.ledger.history([(scope.parts, scope.since)]):
                if record.requested_at < self._start:
                    found[record.claim] = self.under(record)
            known = [(name, value) for name, value in scope.parts.items() if value is not None]
            if known and len(known) == len(scope.parts):
                for record in min((self._passed.get(key, []) for key in known), key=len):
                    found[record.claim] = record
        return list(found.values())


def simulate(
    ctx: Context,
    texts: Sequence[Agreement],
    since: datetime,
    until: datetime,
    sources: Sequence[str] = (),
    libraries: Sequence[str] = (),
) -> Simulation:
    """Decide the requests of [since, until) again, oldest first, with these agreements in the place of those of the same id.

    A request of a source or library named here is decided under them too, whatever it fell under. Where none is named, a text
    whose id nothing is bound to yet is tried on every request that was decided under any agreement.

    What would have been refused no longer counts for those after it; what would have been freed does. Requests that a person
    approved keep his approval. Changes nothing.
    """
    fresh = {agreement.id: agreement for agreement in texts}
    changed: list[Changed] = []
    decided = supplied = 0
    with ctx.store.read() as work:
        reach = _Reach(fresh, _unbound(work, fresh), frozenset(sources), frozenset(libraries))
        past = _Past(work, since, reach)
        after = ""
        while True:
            batch = work.requests.created_between(since, until, after, BATCH)
            for request in batch:
                record = work.ledger.record(request.claim)
                more = reach.added(request)
                if not more and not any(name in fresh for name, _ in agreement_pairs(request)):
                    if record is not None and record.status == "filled":
                        past.add(record)
                    continue
                decided += 1
                was_filled = record is not None and record.status == "filled"
                supplied += was_filled
                answer = _decide_again(work, request, fresh, past, more)
                if answer is None:
                    continue
                before, now, facts = answer
                _keep_record(past, request, record, before, now, facts, more)
                if (now.outcome, now.reason) != (before.outcome, before.reason):
                    changed.append(_changed(request, was_filled, before, now))
            if len(batch) < BATCH:
                break
            after = batch[-1].number
    refused = tuple(one for one in changed if one.after.outcome is Outcome.DENY)
    freed = tuple(one for one in changed if one.before.outcome is Outcome.DENY)
    rest = tuple(one for one in changed if one not in refused and one not in freed)
    return Simulation(decided, supplied, refused, freed, rest)


def _unbound(work: Work, fresh: Mapping[str, Agreement]) -> frozenset[str]:
    """The ids that hold nowhere yet."""
    bound = {name for library in work.libraries.all() for name in library.agreements}
    bound |= {name for one in work.sources.all() for name in one.agreements}
    return frozenset(fresh) - bound


def _decide_again(
    work: Work, request: DocumentRequest, fresh: Mapping[str, Agreement], past: _Past, more: Sequence[str]
) -> tuple[Decision, Decision, Mapping[str, object]] | None:
    stored, facts = request.decision.get("decision"), request.decision.get("facts")
    if not isinstance(stored, Mapping) or not isinstance(facts, Mapping) or not facts:
        return None
    facts = linked(work, facts)
    agreements = tuple(
        fresh.get(name) or parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request)
    ) + tuple(fresh[name] for name in more)
    history = [history_record(record) for record in past.of(scopes([agreements], facts))]
    return Decision.from_dict(stored), decide([agreements], facts, history), facts


def _keep_record(
    past: _Past,
    request: DocumentRequest,
    record: UsageRecord | None,
    before: Decision,
    now: Decision,
    facts: Mapping[str, object],
    more: Sequence[str],
) -> None:
    """Let the copy count for later requests where it would have been made."""
    if now.outcome is Outcome.DENY:
        return
    if record is not None and record.status == "filled":
        past.add(past.under(record))
    elif before.outcome is Outcome.DENY and now.outcome is Outcome.ALLOW:
        freed = UsageRecord(
            claim=request.claim,
            request=request.number,
            library_id=request.library_id,
            status="filled",
            under=(*(name for name, _ in agreement_pairs(request)), *more),
            facts=facts,
            keys=record_keys(facts),
            requested_at=request.created_at,
            filled_at=request.created_at,
        )
        past.add(freed)


def _changed(request: DocumentRequest, supplied: bool, before: Decision, now: Decision) -> Changed:
    named = request.citation.title or request.citation.container or request.citation.doi or request.number
    return Changed(request.number, named, request.library_id, request.created_at, supplied, before, now)
