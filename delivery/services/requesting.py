"""A reader asks for a document: recognise repeats, decide, reserve, and start the search, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from delivery.citation import Citation, fingerprints
from delivery.copies import CopyState, Delivery
from delivery.document_request import DocumentRequest
from delivery.errors import Invalid, NotFound
from delivery.jobs import FETCH, MAIL, NewJob
from delivery.lifecycle import OPEN, Action, State, move
from delivery.numbers import request_number
from delivery.people import Person
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.deciding import (
    APPROVAL,
    Route,
    Verdict,
    decision_event,
    find_routes,
    hold_for,
    is_denied,
    judge,
    kept_decision,
    release,
    reserve,
)
from delivery.services.notices import notices_under
from delivery.stores import AskedBefore, Ground
from drm.audit.events import Event
from drm.decisions import Outcome
from drm.fact_values import PURPOSES
from drm.facts.reading import normal_issn
from drm.obligations import with_versions

MAX_TYPED = 2_000


@dataclass(frozen=True)
class Asked:
    """What a reader hands in. ``deliberate`` says that a repeat is wanted; ``declarations`` are the statements ticked; ``noticed``
    says that the reader saw the notices of the agreements on the form."""

    fields: Mapping[str, str]
    via: str = "form"
    purpose: str = ""
    deliberate: bool = False
    declarations: tuple[str, ...] = ()
    language: str = "en"
    noticed: bool = False


@dataclass(frozen=True)
class Submitted:
    """How a request was taken. ``repeats`` names an earlier request of the same reader for the same work; then nothing was saved."""

    request: DocumentRequest
    repeats: bool = False
    delivery: Delivery | None = None


@dataclass(frozen=True)
class Outlook:
    """What is known before the reader sends: where the work could come from, and an earlier request of his for it."""

    held_by: tuple[str, ...]
    open_access: bool
    earlier: DocumentRequest | None
    delivery: Delivery | None


def read_citation(fields: Mapping[str, str]) -> Citation:
    """The citation a reader typed; Invalid with a code for each field that is wrong."""
    citation, errors = Citation.from_fields(fields)
    if errors:
        raise Invalid(errors)
    return citation


def preview(ctx: Context, reader: Person, fields: Mapping[str, str]) -> Outlook:
    """What the request page can show before sending. Changes nothing."""
    citation = read_citation(fields)
    with ctx.store.read() as work:
        sources = work.sources.active()
        before = _earlier(work, reader, citation, ctx.clock())
        earlier, delivery = _read(work, before) if before is not None else (None, None)
    routes = find_routes(ctx, citation, reader.library_id, sources)
    held = tuple(route.source.title for route in routes if route.candidate is not None and not route.open_access)
    return Outlook(held, any(route.open_access for route in routes), earlier, delivery)


def submit(
    ctx: Context, reader: Person, asked: Asked, keep: Callable[[Work, Submitted], None] | None = None
) -> Submitted:
    """Take a request: it has a number at once, and its decision is stored with it, refused or not.

    Raises Invalid for fields that cannot be read. A repeat is answered with the request that exists, unless it is deliberate.
    ``keep`` is called in the same transaction with what was taken, so that an answer is kept with its request or not at all.
    """
    citation = read_citation(asked.fields)
    if asked.purpose and asked.purpose not in PURPOSES:
        raise Invalid({"purpose": "unknown-word"})
    now = ctx.clock()
    with ctx.store.read() as work:
        sources = work.sources.active()
    routes = find_routes(ctx, citation, reader.library_id, sources)
    enriched = enrich(citation, routes)
    with ctx.store.write() as work:
        # The reader is held: the same form sent twice at once waits here, and then finds the request that came of the first.
        ground = work.agreements.ground_of_reader(reader.id, now, normal_issn(enriched.issn), hold=True)
        earlier = _earlier(work, reader, citation, now)
        if earlier is not None and not asked.deliberate:
            request, delivery = _read(work, earlier)
            submitted = Submitted(request, True, delivery)
        else:
            request = _new_request(reader, asked, enriched, now, earlier)
            if asked.noticed:
                shown = with_versions(notices_under(sources, ground))
                request = replace(request, found={**request.found, "notices": shown})
            submitted = Submitted(_decide(work, request, ground, routes, now))
        if keep is not None:
            keep(work, submitted)
    return submitted


def _earlier(work: Work, reader: Person, citation: Citation, now: datetime) -> AskedBefore | None:
    """The newest request of this reader for the same work that still waits or whose link still lives."""
    asked = work.requests.asked_before(fingerprints(citation), reader.id)
    return next((one for one in asked if _serves(one, now)), None)


def _read(work: Work, earlier: AskedBefore) -> tuple[DocumentRequest, Delivery | None]:
    """That request, and its copy where the link lives."""
    request = work.requests.get(earlier.number)
    return request, work.deliveries.get(request.delivery) if request.state is State.SUPPLIED else None


def _serves(one: AskedBefore, now: datetime) -> bool:
    """Whether an earlier request still waits, or its link still lives."""
    if State(one.state) in OPEN:
        return True
    used_up = one.opens_limit is not None and (one.opens_used or 0) >= one.opens_limit
    over = one.expires_at is not None and one.expires_at <= now
    return one.state == State.SUPPLIED.value and one.copy == CopyState.LIVE.value and not used_up and not over


def _new_request(
    reader: Person, asked: Asked, citation: Citation, now: datetime, earlier: AskedBefore | None
) -> DocumentRequest:
    return DocumentRequest(
        number=request_number(),
        library_id=reader.library_id,
        reader_id=reader.id,
        reader_key=reader.reader_key,
        state=State.NEW,
        typed={name: str(value)[:MAX_TYPED] for name, value in asked.fields.items() if value},
        citation=citation,
        created_at=now,
        changed_at=now,
        purpose=asked.purpose,
        language=asked.language,
        via=asked.via,
        repeat_of=earlier.number if earlier else "",
        found={"declarations": list(asked.declarations), "notices": {}},
    )


def enrich(citation: Citation, routes: tuple[Route, ...]) -> Citation:
    """Fill what the reader left empty from the first certain holding. What he typed is never overwritten."""
    for route in routes:
        if route.candidate is not None and route.candidate.certain and route.candidate.citation is not None:
            known = route.candidate.citation.to_dict()
            typed = citation.to_dict()
            return Citation.from_dict({name: typed.get(name) or known.get(name, "") for name in typed})
    return citation


def _decide(
    work: Work, request: DocumentRequest, ground: Ground, routes: tuple[Route, ...], now: datetime
) -> DocumentRequest:
    licensed = tuple(route for route in routes if not route.open_access)
    free = tuple(route for route in routes if route.open_access)
    work.record(Event("request:created", now, request.reader_key, request.library_id, request.number, code=request.via))
    verdict = judge(work, request, ground.library, licensed, now, ground=ground)
    if not is_denied(verdict.decision) or not free:
        if verdict.decision.outcome is not Outcome.ALLOW and free:
            # Without limits open access is the milder way; on a tie the licensed route keeps its slot.
            return _accept_free(work, request, verdict, now)
        return _answer(work, request, verdict, now)
    return _accept_free(work, request, verdict, now)


def _accept_free(work: Work, request: DocumentRequest, licensed: Verdict, now: datetime) -> DocumentRequest:
    """Accept on open access alone: no slot is taken. What the licensed route said is kept for the case that none is found."""
    request = replace(
        request,
        found={**request.found, "free_only": True},
        reason=licensed.decision.reason,
        decision=kept_decision(licensed),
    )
    work.requests.add(request)
    work.record(decision_event("request:decided", request, licensed, now, "system"))
    work.jobs.add(NewJob(FETCH, f"fetch:{request.number}:1", {"request": request.number}), now)
    return request


def _answer(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime) -> DocumentRequest:
    decision = verdict.decision
    source = verdict.route.source.id if verdict.route else ""
    request = replace(request, source_id=source, reason=decision.reason, decision=kept_decision(verdict))
    if is_denied(decision):
        request = replace(request, state=move(request.state, Action.REFUSE))
        work.requests.add(request)
        work.record(decision_event("request:refused", request, verdict, now, "system"))
        return request
    if decision.outcome is not Outcome.ALLOW:
        request = replace(request, hold=hold_for(verdict))
    work.requests.add(request)
    if not request.hold:
        work.record(decision_event("request:decided", request, verdict, now, "system"))
    reserve(work, request, verdict, now, "reader")
    if request.hold:
        work.record(decision_event("request:held", request, verdict, now, "system"))
        if request.hold == APPROVAL:
            key = f"mail:approval:{request.number}"
            work.jobs.add(NewJob(MAIL, key, {"letter": "approval", "request": request.number}), now)
    else:
        work.jobs.add(NewJob(FETCH, f"fetch:{request.number}:1", {"request": request.number}), now)
    return request


def cancel(ctx: Context, reader: Person, number: str) -> DocumentRequest:
    """The reader no longer wants it: the slots are given back. NotFound for somebody else's request."""
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        if request.reader_id != reader.id:
            raise NotFound("unknown-request", "There is no such request.")
        request = replace(request, state=move(request.state, Action.CANCEL), hold="", changed_at=now)
        request = work.requests.save(request)
        release(work, request, now, "reader", "cancelled")
        work.record(Event("request:cancelled", now, request.reader_key, request.library_id, request.number))
    return request
