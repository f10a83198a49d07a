"""A reader's consent where an agreement asks for it: declarations signed, a fee accepted; then the request is decided again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from delivery.consents import Declaration, Fee, seal_record
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid, NotFound
from delivery.jobs import FETCH, NewJob
from delivery.payments import Arrangement
from delivery.people import Person
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.deciding import (
    DECLARATION,
    FEE,
    Route,
    Verdict,
    agreement_pairs,
    decision_event,
    find_routes,
    hold_for,
    is_denied,
    judge,
    kept_decision,
    parsed,
    reroute,
)
from delivery.services.fulfilling import hold, refuse, without_place
from drm.audit.events import Event
from drm.decisions import Decision, Outcome
from drm.statements import Statement, statements_of


@dataclass(frozen=True)
class Asking:
    """What one rule wants to be stated: all of the statements, or one of them."""

    agreement: str
    agreement_version: int
    jurisdiction: str
    title: str
    rule: str
    all_of: bool
    statements: tuple[Statement, ...]
    by: str = "reader"


@dataclass(frozen=True)
class Charge:
    """A fee as the reader is shown it before he agrees. ``amount`` is decimal text."""

    agreement: str
    agreement_version: int
    title: str
    rule: str
    amount: str
    currency: str


def wanted(work: Work, request: DocumentRequest, language: str) -> tuple[Asking, ...]:
    """The declarations that a request on hold still lacks, with their words."""
    decision = _stored(request)
    found = []
    for result in decision.rules if decision else ():
        if result.type != "declare" or result.outcome is Outcome.ALLOW:
            continue
        agreement = parsed(work.agreements.get(result.agreement, result.version))
        rule = next(one for one in agreement.rules if one.id == result.rule)
        words = statements_of(agreement, rule, language)
        found.append(
            Asking(
                agreement.id,
                agreement.version,
                agreement.jurisdiction,
                agreement.title,
                rule.id,
                bool(rule.all_of),
                words,
                rule.by,
            )
        )
    return tuple(found)


def charges(work: Work, request: DocumentRequest) -> tuple[Charge, ...]:
    """The fees that a request on hold would cost, as the decision computed them."""
    decision = _stored(request)
    found = []
    for result in decision.rules if decision else ():
        amount = result.counts.get("amount")
        if result.type == "fee" and result.outcome is Outcome.NEEDS_FEE and amount is not None:
            agreement = parsed(work.agreements.get(result.agreement, result.version))
            currency = str(result.counts.get("currency", ""))
            found.append(Charge(agreement.id, agreement.version, agreement.title, result.rule, str(amount), currency))
    return tuple(found)


def _stored(request: DocumentRequest) -> Decision | None:
    stored = request.decision.get("decision")
    return Decision.from_dict(stored) if isinstance(stored, Mapping) else None


def declare(ctx: Context, reader: Person, number: str, codes: Sequence[str]) -> DocumentRequest:
    """Sign what the request needs, in the reader's name, and decide again. Invalid when a statement is missing."""
    now = ctx.clock()
    routes = _routes(ctx, reader, number)
    with ctx.store.write() as work:
        request = _held(work, reader, number, DECLARATION)
        made = frozenset(codes)
        askings = wanted(work, request, request.language)
        for asking in askings:
            ours = {statement.code for statement in asking.statements}
            if not (ours <= made if asking.all_of else ours & made):
                raise Invalid({"declaration": "declaration-missing"})
        for asking in askings:
            work.consents.declare(signed(ctx, reader, request, asking, made, now))
        before = request.found.get("declarations")
        known = [str(code) for code in before] if isinstance(before, list | tuple) else []
        stated = [one.code for asking in askings for one in asking.statements if one.code in made]
        request = replace(request, found={**request.found, "declarations": list(dict.fromkeys([*known, *stated]))})
        work.record(
            Event(
                "declaration:signed",
                now,
                request.reader_key,
                request.library_id,
                number,
                agreements=agreement_pairs(request),
            )
        )
        return decide_again(work, request, routes, now)


def signed(
    ctx: Context, reader: Person, request: DocumentRequest, asking: Asking, made: frozenset[str], now: datetime
) -> Declaration:
    """What one person states for one rule, his name sealed to it."""
    return Declaration(
        request=request.number,
        rule=asking.rule,
        agreement=asking.agreement,
        agreement_version=asking.agreement_version,
        jurisdiction=asking.jurisdiction,
        library_id=request.library_id,
        reader_key=request.reader_key,
        signed=ctx.sealer.seal(reader.name, seal_record(request.number, asking.rule)),
        signed_at=now,
        language=request.language,
        statements={
            one.code: {"text": one.text, "version": one.version} for one in asking.statements if one.code in made
        },
    )


def accept_fee(ctx: Context, reader: Person, number: str, shown: str) -> DocumentRequest:
    """Agree to pay what was shown, and decide again. Conflict when the amount is another one by now."""
    now = ctx.clock()
    routes = _routes(ctx, reader, number)
    with ctx.store.write() as work:
        request = _held(work, reader, number, FEE)
        asked = charges(work, request)
        if shown != total(asked):
            raise Conflict("fee-changed", "The fee has changed; look at it again before you agree.")
        library = work.libraries.get(request.library_id)
        arranged = ctx.payments.arrange(number, library, [(charge.amount, charge.currency) for charge in asked])
        for charge in asked:
            work.consents.charge(_accepted(request, charge, arranged, now))
        request = with_fee_paid(request)
        work.record(
            Event(
                "fee:accepted", now, request.reader_key, request.library_id, number, agreements=agreement_pairs(request)
            )
        )
        return decide_again(work, request, routes, now)


def _accepted(request: DocumentRequest, charge: Charge, arranged: Arrangement, now: datetime) -> Fee:
    return Fee(
        request=request.number,
        rule=charge.rule,
        agreement=charge.agreement,
        agreement_version=charge.agreement_version,
        library_id=request.library_id,
        reader_key=request.reader_key,
        amount=charge.amount,
        currency=charge.currency,
        accepted_by=request.reader_key,
        accepted_at=now,
        way=arranged.way,
        reference=arranged.reference,
    )


def total(charges_: Sequence[Charge]) -> str:
    """The charges as one text, as the page shows them and the form sends them back."""
    return ", ".join(f"{charge.amount} {charge.currency}" for charge in charges_)


def with_fee_paid(request: DocumentRequest) -> DocumentRequest:
    """The request with the fact that its fee is settled by agreement: rules that this switches off no longer count it."""
    flags = request.found.get("flags")
    known = dict(flags) if isinstance(flags, Mapping) else {}
    return replace(request, found={**request.found, "flags": {**known, "fee_paid": True}})


def _routes(ctx: Context, reader: Person, number: str) -> tuple[Route, ...]:
    with ctx.store.read() as work:
        request = work.requests.get(number)
        sources = work.sources.active()
    routes = find_routes(ctx, request.citation, reader.library_id, sources)
    return tuple(route for route in routes if not route.open_access)


def _held(work: Work, reader: Person, number: str, kind: str) -> DocumentRequest:
    request = work.requests.lock(number)
    if request.reader_id != reader.id:
        raise NotFound("unknown-request", "There is no such request.")
    if request.hold != kind:
        raise Conflict("not-waiting", "This request does not wait for that.")
    return request


def decide_again(
    work: Work, request: DocumentRequest, routes: tuple[Route, ...], now: datetime, final: bool = True
) -> DocumentRequest:
    """Decide a request that waits, after something was settled: it goes on, waits for something else, or is refused.

    Unless ``final`` a denied one waits on, without a place under any limit.
    """
    verdict: Verdict = judge(work, request, work.libraries.get(request.library_id), routes, now)
    source = verdict.route.source.id if verdict.route else ""
    if is_denied(verdict.decision) and not final:
        return without_place(work, request, verdict, now)
    if is_denied(verdict.decision):
        return refuse(work, replace(request, reason=verdict.decision.reason, decision=kept_decision(verdict)), now)
    request = reroute(work, request, verdict, now, "reader")
    request = replace(
        request, source_id=source, reason=verdict.decision.reason, decision=kept_decision(verdict), changed_at=now
    )
    if hold_for(verdict):
        return hold(work, request, verdict, now)
    request = work.requests.save(replace(request, hold=""))
    work.record(decision_event("request:decided", request, verdict, now, "system"))
    work.jobs.add(NewJob(FETCH, f"fetch:{request.number}:{request.version}", {"request": request.number}), now)
    return request
