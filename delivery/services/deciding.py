"""Routes, decisions and slots: what may be supplied under which agreement, and what that uses up."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from delivery.citation import Citation
from delivery.document_request import DocumentRequest
from delivery.facts import facts_of
from delivery.people import Library
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.titling import family_told, issn_in, linked_by
from delivery.sources import Candidate, FetchFailed
from delivery.stores import AgreementVersion, Ground, LedgerEntry, Slot, Source, UsageRecord
from drm.agreements import Agreement, load_agreements
from drm.audit.events import Event
from drm.decisions import Decision, Outcome
from drm.facts.reading import normal_issn
from drm.policy import decide
from drm.quota import Scope, held_rules, record_keys, scopes

DESK = "desk"
APPROVAL, DECLARATION, FEE = "approval", "declaration", "fee"
"""What a request can wait for: a rights officer, the reader's statements, or his consent to a fee."""
OPEN_ACCESS_KINDS = frozenset({"unpaywall"})


@dataclass(frozen=True)
class Route:
    """One way to the full text: a source, what it holds, and the agreements that bind it. Open access binds none."""

    source: Source
    candidate: Candidate | None
    open_access: bool = False


@dataclass(frozen=True)
class Verdict:
    """The decision for the chosen route, with the facts it rests on. ``head`` is where the usage journal ended
    then, ``claim`` what was left out of the history."""

    route: Route | None
    decision: Decision
    agreements: tuple[Agreement, ...]
    facts: Mapping[str, object]
    head: int = 0
    claim: str = ""


def find_routes(ctx: Context, citation: Citation, library_id: str, sources: Iterable[Source]) -> tuple[Route, ...]:
    """A route for each source that could serve the citation, in the order in which they are tried; open access last.

    Asks holdings only; nothing is fetched here.
    """
    licensed: list[Route] = []
    open_access: list[Route] = []
    for source in sources:
        if source.kind == DESK:
            if source.library_id in (None, library_id):
                licensed.append(Route(source, None))
            continue
        try:
            candidate = ctx.fetcher(source).find(citation)
        except FetchFailed:
            # A source that cannot even look is no route now; the fetch will note why.
            candidate = None
        if candidate is None:
            continue
        free = source.kind in OPEN_ACCESS_KINDS or candidate.open_access
        (open_access if free else licensed).append(Route(source, candidate, free))
    return (*licensed, *open_access)


@lru_cache(maxsize=256)
def _parsed(text: str, agreement_id: str, version: int) -> Agreement:
    for agreement in load_agreements(text, f"{agreement_id} v{version}"):
        if agreement.id == agreement_id:
            return agreement
    raise LookupError(f"the text kept for {agreement_id} v{version} does not hold it")


def parsed(version: AgreementVersion) -> Agreement:
    """A stored version as the engine reads it."""
    return _parsed(version.text, version.id, version.version)


def agreements_of(route: Route, in_force: Sequence[AgreementVersion], library: Library) -> tuple[Agreement, ...] | None:
    """The agreements of a route: those of its source, then those of the library that asks; all must be kept.

    None when the source has none or one of them is not in force, so that nothing may go this way.
    """
    if route.open_access:
        return ()
    by_id = {version.id: version for version in in_force}
    wanted = tuple(dict.fromkeys((*route.source.agreements, *library.agreements)))
    if not route.source.agreements or any(name not in by_id for name in wanted):
        return None
    return tuple(parsed(by_id[name]) for name in wanted)


def judge(
    work: Work,
    request: DocumentRequest,
    library: Library,
    routes: Sequence[Route],
    now: datetime,
    fill_at: datetime | None = None,
    ground: Ground | None = None,
) -> Verdict:
    """Decide about a request under all its routes: the mildest wins, the first on a tie.

    Locks the scopes first, so the counts hold until the transaction ends: those of its own limits, and those of every limit in
    force that will count this copy, whoever decides under that one. The request's own claim is left out. ``ground`` was read before.
    """
    in_force = ground.in_force if ground else work.agreements.in_force(now, library.zone)
    libraries = _owners(work, library, routes)
    told = [route.candidate.held.issns for route in routes if route.candidate and route.candidate.held]
    family = family_told(work, request.citation.issn, told, now, ground.family if ground else None)
    key = work.secrets.key_of(request.reader_id) if request.reader_id else request.reader_key
    reader = work.people.get(request.reader_id) if request.reader_id else None
    found = []
    for route in routes:
        agreements = agreements_of(route, in_force, library)
        if agreements is None:
            continue
        held = route.candidate.held if route.candidate else None
        facts = facts_of(
            request.citation,
            library,
            key,
            reader,
            request.created_at,
            route.source,
            held,
            request.purpose,
            tuple(
                str(word)
                for said in (request.found.get("declarations"), route.source.settings.get("states"))
                for word in _listed(said)
            ),
            fill_at,
            request.found.get("flags"),
            tuple(str(key) for key in _listed(request.found.get("joint"))),
            libraries.get(route.source.library_id or ""),
            request.found.get("told"),
            family,
        )
        found.append((route, agreements, facts))
    if not found:
        return Verdict(None, no_agreement(), (), {})
    wanted = [scope for _, agreements, facts in found for scope in scopes([agreements], facts)]
    _lock(work, in_force, wanted, [facts for _, _, facts in found])
    scoped = [(scope.parts, scope.since) for scope in wanted]
    records, head = work.ledger.history_and_head(scoped, leave_out=request.claim)
    history = [history_record(record) for record in records]
    verdicts = [
        Verdict(route, decide([agreements], facts, history), agreements, facts, head, request.claim)
        for route, agreements, facts in found
    ]
    return min(verdicts, key=lambda verdict: verdict.decision.outcome)


def _owners(work: Work, asking: Library, routes: Sequence[Route]) -> Mapping[str, Library]:
    """The libraries whose sources these are, by id; the one that asks is known already."""
    owners = {route.source.library_id for route in routes if route.source.library_id}
    return {name: asking if name == asking.id else work.libraries.get(name) for name in sorted(owners)}


def judge_at_fill(work: Work, request: DocumentRequest, now: datetime) -> Verdict:
    """Decide once more at the moment of fill: the stored facts and versions, the own reservation left out."""
    stored = request.decision.get("facts")
    kept = stored if isinstance(stored, Mapping) else {}
    ground = work.agreements.ground(request.library_id, now, normal_issn(issn_in(kept)))
    agreements = tuple(parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request))
    if not agreements and not request.decision.get("open_access"):
        return Verdict(None, no_agreement(), (), {})
    facts = linked_by(kept, ground.family) if kept else {}
    asked = facts.get("request")
    facts["request"] = {**(asked if isinstance(asked, Mapping) else {}), "fill_at": now.isoformat()}
    wanted = scopes([agreements], facts)
    _lock(work, ground.in_force, wanted, [facts])
    records = work.ledger.history([(scope.parts, scope.since) for scope in wanted], leave_out=request.claim)
    decision = decide([agreements], facts, [history_record(record) for record in records])
    return Verdict(None, decision, agreements, facts)


def _lock(
    work: Work, in_force: Sequence[AgreementVersion], own: Sequence[Scope], asked: Sequence[Mapping[str, object]]
) -> None:
    """Lock the own scopes, and those of all limits in force that count a copy of these facts."""
    everything = tuple(parsed(version) for version in in_force)
    counting = [scope for facts in asked for scope in scopes([everything], facts)]
    work.ledger.lock(scope.key for scope in (*own, *counting))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def no_agreement() -> Decision:
    """The answer where no agreement covers remote delivery: fail closed."""
    return Decision.refusal("NO_AGREEMENT")


def history_record(record: UsageRecord) -> dict[str, object]:
    """A usage record as ``decide`` reads it."""
    content: dict[str, object] = dict(record.facts)
    content["status"] = record.status
    if "joint_readers" in record.facts:
        content["joint_readers"] = record.facts["joint_readers"]
    if record.filled_at is not None:
        content["filled_at"] = record.filled_at.isoformat()
    return content


def slots_of(verdict: Verdict) -> tuple[Slot, ...]:
    """The slots that the verdict's route takes."""
    owner = {rule.id: agreement.id for agreement in verdict.agreements for rule in agreement.rules}
    return tuple(Slot(owner.get(rule, ""), rule, scope) for rule, scope in held_rules(verdict.decision))


def reserve(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime, actor: str) -> None:
    """Take the slots of the verdict's route for a claim that is new, and keep what this copy will count as."""
    wanted = slots_of(verdict)
    for slot in wanted:
        work.ledger.enter(LedgerEntry(request.claim, slot, "reserve", now, actor))
    work.ledger.put_record(usage_record(request, verdict, "reserved"), now, first=True)
    if wanted:
        work.record(decision_event("quota:reserved", request, verdict, now, actor))


def usage_record(
    request: DocumentRequest, verdict: Verdict, status: str, filled_at: datetime | None = None
) -> UsageRecord:
    """What a copy under this verdict counts as."""
    return UsageRecord(
        claim=request.claim,
        request=request.number,
        library_id=request.library_id,
        status=status,
        under=tuple(agreement.id for agreement in verdict.agreements),
        facts=verdict.facts,
        keys=record_keys(verdict.facts),
        requested_at=request.created_at,
        filled_at=filled_at,
    )


def reroute(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime, actor: str) -> DocumentRequest:
    """Move the slots to another route: reserve there, release here; a rule in both keeps its slot.

    Returns the request, whose ``copy_no`` moves on when a slot is needed again that this claim gave back before.
    """
    wanted = {slot.rule: slot for slot in slots_of(verdict)}
    entries = work.ledger.entries(request.claim)
    given_back = {entry.slot.rule for entry in entries if entry.kind in {"release", "refund"}}
    kept = {entry.slot.rule: entry.slot for entry in entries if entry.kind == "reserve"}
    held = {rule: slot for rule, slot in kept.items() if rule not in given_back}
    if set(wanted) & given_back or any(held[rule] != wanted[rule] for rule in set(wanted) & set(held)):
        release(work, request, now, actor, "rerouted")
        request = replace(request, copy_no=request.copy_no + 1)
        held = {}
    for rule in sorted(set(wanted) - set(held)):
        work.ledger.enter(LedgerEntry(request.claim, wanted[rule], "reserve", now, actor))
    for rule in sorted(set(held) - set(wanted)):
        work.ledger.enter(LedgerEntry(request.claim, held[rule], "release", now, actor, "rerouted"))
    work.ledger.put_record(usage_record(request, verdict, "reserved"), now)
    work.record(decision_event("request:rerouted", request, verdict, now, actor))
    return request


def settle(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime) -> None:
    """Count what was reserved: only in the transaction that publishes the copy."""
    work.ledger.settle(request.claim, now)
    work.ledger.put_record(usage_record(request, verdict, "filled", now), now)
    if _pays(request):
        work.consents.fees_due(request.number, [agreement.id for agreement in verdict.agreements], now)
    work.record(decision_event("quota:settled", request, verdict, now, "system"))


def _pays(request: DocumentRequest) -> bool:
    """Whether a fee was agreed to for a request: where none was, there is none in the books."""
    flags = request.found.get("flags")
    return isinstance(flags, Mapping) and bool(flags.get("fee_paid"))


def release(
    work: Work, request: DocumentRequest, now: datetime, actor: str, reason: str, status: str = "cancelled"
) -> None:
    """Give back what is reserved and not settled. Does nothing the second time."""
    _close(work, request, now, actor, reason, "release", status)


def refund(work: Work, request: DocumentRequest, now: datetime, actor: str, reason: str) -> None:
    """Give back what was settled: a bad or withdrawn copy that shall not count."""
    _close(work, request, now, actor, reason, "refund", "cancelled")


def _close(
    work: Work, request: DocumentRequest, now: datetime, actor: str, reason: str, kind: str, status: str
) -> None:
    entries = work.ledger.entries(request.claim)
    settled = {entry.slot.rule for entry in entries if entry.kind == "settle"}
    back = {entry.slot.rule for entry in entries if entry.kind in {"release", "refund"}}
    changed = False
    for entry in entries:
        rule = entry.slot.rule
        if entry.kind == "reserve" and rule not in back and (rule in settled) == (kind == "refund"):
            changed = work.ledger.enter(LedgerEntry(request.claim, entry.slot, kind, now, actor, reason)) or changed
    work.consents.fees_void(request.number)
    record = work.ledger.record(request.claim)
    if record is not None and record.status == ("filled" if kind == "refund" else "reserved"):
        work.ledger.put_record(replace(record, status=status), now)
    if changed:
        name = "quota:refunded" if kind == "refund" else "quota:released"
        work.record(Event(name, now, actor, request.library_id, request.number, code=reason))


def kept_decision(verdict: Verdict) -> dict[str, object]:
    """What is stored of a decision, so that it can be shown and replayed: facts, counts, versions and the zone database."""
    return {
        "decision": verdict.decision.to_dict(),
        "facts": dict(verdict.facts),
        "source": verdict.route.source.id if verdict.route else "",
        "open_access": verdict.route.open_access if verdict.route else False,
        "agreements": [[agreement.id, agreement.version] for agreement in verdict.agreements],
        "tzdata": _tzdata(),
        "claim": verdict.claim,
        "head": verdict.head,
    }


@lru_cache(maxsize=1)
def _tzdata() -> str:
    return importlib.metadata.version("tzdata")


def decision_event(kind: str, request: DocumentRequest, verdict: Verdict, now: datetime, actor: str) -> Event:
    return Event(
        kind,
        now,
        actor,
        request.library_id,
        request.number,
        agreements=tuple((agreement.id, agreement.version) for agreement in verdict.agreements),
        facts=verdict.decision.facts_hash,
        code=verdict.decision.reason,
        counts={rule: dict(counts) for rule, counts in list(verdict.decision.counts.items())[:6]},
    )


def hold_for(verdict: Verdict) -> str:
    """What a request under this verdict has to wait for; "" for nothing.

    What a reader can settle himself is his: statements in his own name, a fee whose amount is known. All else is an officer's.
    """
    decision = verdict.decision
    effective = [
        result
        for result in decision.rules
        if result.agreement not in decision.overridden and result.outcome is decision.outcome
    ]
    if decision.outcome in {Outcome.ALLOW, Outcome.DENY}:
        return ""
    if decision.outcome is Outcome.NEEDS_DECLARATION:
        by = {rule.id: rule.by for agreement in verdict.agreements for rule in agreement.rules}
        own = all(result.type == "declare" and by.get(result.rule) == "reader" for result in effective)
        return DECLARATION if own else APPROVAL
    if decision.outcome is Outcome.NEEDS_FEE:
        known = all(result.type == "fee" and result.counts.get("amount") is not None for result in effective)
        return FEE if known else APPROVAL
    return APPROVAL


def is_denied(decision: Decision) -> bool:
    """Whether nothing may be supplied on this decision, whoever approves."""
    return decision.outcome is Outcome.DENY


def agreement_pairs(request: DocumentRequest) -> tuple[tuple[str, int], ...]:
    """The agreements and versions that the request's stored decision rests on."""
    return tuple((str(name), int(version)) for name, version in _pairs(request.decision.get("agreements")))


def _pairs(value: object) -> list[tuple[object, str]]:
    return [(pair[0], str(pair[1])) for pair in _listed(value) if isinstance(pair, list | tuple) and len(pair) == 2]
