"""The librarian's work: the queue, claiming, editing, uploading, answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from delivery.blob_names import source_blob
from delivery.consents import Declaration
from delivery.copies import CopyState, Delivery
from delivery.document_request import DocumentRequest, Message, QueueFilter, Try
from delivery.errors import Conflict, Invalid
from delivery.formats import told_time
from delivery.jobs import MAIL, NewJob
from delivery.lifecycle import Action, State, move
from delivery.lists import RequestPage
from delivery.people import Library, Person, Role
from delivery.ports import Blob, Work
from delivery.searching import Leg
from delivery.services.consenting import Asking, decide_again
from delivery.services.context import Context, require, require_library
from delivery.services.deciding import (
    DESK,
    Route,
    agreement_pairs,
    find_routes,
    judge,
    parsed,
    refund,
    release,
)
from delivery.services.fulfilling import lasting, look_again, start_preparing
from delivery.services.requesting import read_citation
from delivery.services.telling import decide_at_desk, library_states
from delivery.sources import FetchFailed, receive_upload
from delivery.stores import SameWork, Source
from drm.audit.events import Event
from drm.decisions import Outcome
from drm.pdf.values import PdfRefused
from drm.reasons import Explanation, explain


@dataclass(frozen=True)
class DeskView:
    """Everything known about a request, for the person who works on it."""

    request: DocumentRequest
    library: Library
    reader: Person | None
    assignee: Person | None
    tries: tuple[Try, ...]
    messages: tuple[Message, ...]
    deliveries: tuple[Delivery, ...]
    same_work: tuple[SameWork, ...]
    explanation: Explanation | None
    declarations: tuple[Declaration, ...]
    source_titles: Mapping[str, str]
    states: tuple[Asking, ...] = ()


@dataclass(frozen=True)
class Uploaded:
    """What an upload was found to be: the report of the PDF inspection, and warnings for the desk."""

    request: DocumentRequest
    report: Mapping[str, object]


def queue(ctx: Context, staff: Person, wanted: QueueFilter, leg: Leg = Leg()) -> RequestPage:
    """Requests of the librarian's own library; rights officers and operators see all libraries. A search goes along its leg."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER, Role.OPERATOR)
    if not staff.roles & {Role.RIGHTS_OFFICER, Role.OPERATOR}:
        wanted = replace(wanted, library_id=staff.library_id)
    if wanted.view == "mine":
        wanted = replace(wanted, assignee_id=staff.id)
    with ctx.store.read() as work:
        return work.requests.queue(wanted, leg)


def queue_counts(ctx: Context, staff: Person) -> Mapping[str, int]:
    """How many requests wait in each state, for the views' labels."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER, Role.OPERATOR)
    everywhere = bool(staff.roles & {Role.RIGHTS_OFFICER, Role.OPERATOR})
    with ctx.store.read() as work:
        return work.requests.counts("" if everywhere else staff.library_id)


def look(ctx: Context, staff: Person, number: str) -> DeskView:
    """One request with all that is known; NotFound for another library's."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER, Role.OPERATOR)
    with ctx.store.read() as work:
        request = work.requests.get(number)
        require_library(staff, request.library_id)
        from delivery.citation import fingerprints

        same = work.requests.same_work(fingerprints(request.citation), request.library_id)
        return DeskView(
            request,
            work.libraries.get(request.library_id),
            work.people.get(request.reader_id) if request.reader_id else None,
            work.people.get(request.assignee_id) if request.assignee_id else None,
            work.requests.tries(number),
            work.requests.messages(number),
            work.deliveries.of_request(number),
            tuple(other for other in same if other.number != number),
            explain_request(work, request, staff.language),
            work.consents.declarations(number),
            {source.id: source.title for source in work.sources.active()},
            library_states(work, request, staff.language),
        )


def explain_request(work: Work, request: DocumentRequest, language: str, for_page: bool = True) -> Explanation | None:
    """The stored decision in words; None for a request that was never decided.

    On a page times are spelled out in the library's civil time; else they stand as an auditor compares them.
    """
    from drm.decisions import Decision

    stored, facts = request.decision.get("decision"), request.decision.get("facts")
    if not isinstance(stored, Mapping) or not isinstance(facts, Mapping):
        return None
    agreements = [parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request)]
    zone = work.libraries.get(request.library_id).zone if for_page else None
    tell = (lambda at: told_time(at, zone, language)) if zone else None
    return explain(Decision.from_dict(stored), agreements, facts, (), language, tell)


def claim(ctx: Context, staff: Person, number: str) -> DocumentRequest:
    """Take a request, also from a colleague."""
    return _assign(ctx, staff, number, staff.id, "request:claimed")


def unclaim(ctx: Context, staff: Person, number: str) -> DocumentRequest:
    """Put a request back into the queue."""
    return _assign(ctx, staff, number, None, "request:unclaimed")


def _assign(ctx: Context, staff: Person, number: str, assignee: str | None, kind: str) -> DocumentRequest:
    now = ctx.clock()
    with ctx.store.write() as work:
        request = _mine(work, staff, number)
        request = work.requests.save(replace(request, assignee_id=assignee, changed_at=now))
        work.record(Event(kind, now, staff.reader_key, request.library_id, number))
    return request


def _mine(work: Work, staff: Person, number: str) -> DocumentRequest:
    """The request, held, if this librarian may work on it."""
    require(staff, Role.LIBRARIAN)
    request = work.requests.lock(number)
    require_library(staff, request.library_id)
    return request


def edit_citation(ctx: Context, staff: Person, number: str, fields: Mapping[str, str], version: int) -> DocumentRequest:
    """Correct what is known of the work. What the reader typed stays. Conflict when a colleague was faster.

    While it waits the request is decided again for the work that it names now, so that its copy counts as that. Conflict while
    its text is looked for or a copy is made: that goes by what was decided.
    """
    citation = read_citation(fields)
    now = ctx.clock()
    with ctx.store.read() as work:
        library_id, sources = work.requests.get(number).library_id, work.sources.active()
    routes = find_routes(ctx, citation, library_id, sources)
    with ctx.store.write() as work:
        request = _mine(work, staff, number)
        if request.version != version:
            raise Conflict("changed-meanwhile", "A colleague changed this request meanwhile; look at it again.")
        if request.state in {State.FETCHING, State.PREPARING} or (request.state is State.NEW and not request.hold):
            raise Conflict("not-waiting", "The text is being looked for now; correct the request when it waits again.")
        request = replace(request, citation=citation, changed_at=now)
        work.record(Event("request:edited", now, staff.reader_key, request.library_id, number))
        if request.state is State.AT_DESK:
            return decide_at_desk(work, request, routes, now, final=False)
        if request.hold:
            licensed = tuple(route for route in routes if not route.open_access)
            return decide_again(work, request, licensed, now, final=False)
        return work.requests.save(request)


def search_again(ctx: Context, staff: Person, number: str) -> DocumentRequest:
    """Send the request through all sources once more, for instance after its citation was mended."""
    now = ctx.clock()
    with ctx.store.write() as work:
        request = look_again(work, _mine(work, staff, number), now)
        work.record(Event("request:looked", now, staff.reader_key, request.library_id, number))
    return request


def upload(ctx: Context, staff: Person, number: str, stream: BinaryIO, name: str, declared: int | None) -> Uploaded:
    """Fill a request with a PDF. A file that cannot be taken leaves the request as it was: Invalid with the reason's code."""
    with ctx.store.read() as work:
        require(staff, Role.LIBRARIAN)
        request = work.requests.get(number)
        require_library(staff, request.library_id)
        move(request.state, Action.UPLOAD)
        desks = [s for s in work.sources.active() if s.kind == DESK and s.library_id in (None, request.library_id)]
    if not desks:
        raise _no_agreement()
    with ctx.blobs.workspace() as folder:
        try:
            received = receive_upload(stream, name, declared, folder / "upload.pdf", ctx.settings.upload_bytes)
            report = ctx.pdf.inspect(folder / "upload.pdf")
        except (FetchFailed, PdfRefused) as problem:
            raise Invalid({"file": problem.code}, problem.code, problem.text) from problem
        verdict = report.get("verdict")
        if isinstance(verdict, Mapping) and not verdict.get("ok"):
            code = str(verdict.get("code") or "damaged")
            raise Invalid({"file": code}, code, str(verdict.get("text") or ""))
        blob = ctx.blobs.put(source_blob(received.sha256), folder / "upload.pdf")
    now = ctx.clock()
    with ctx.store.write() as work:
        request = _mine(work, staff, number)
        desk = _decided_for(request, desks)
        # It came here without a decision for the desk, as after its job was set aside, or holds no place since it was edited.
        if desk is None or _is_without_place(request):
            request = decide_at_desk(work, request, tuple(Route(one, None) for one in desks), now, final=False)
            desk = _decided_for(request, desks)
        if desk is None:
            raise _no_agreement()
        waits = bool(request.hold)
        if not waits:
            request = _filled(work, request, staff, desk, blob, now)
    if waits:
        raise Conflict(
            "held-meanwhile", "The desk's agreements ask for more before this can be filled: see the request."
        )
    return Uploaded(request, report)


def _decided_for(request: DocumentRequest, desks: Sequence[Source]) -> Source | None:
    """The desk under whose agreements a request was decided; None where it was decided for another source."""
    return next((desk for desk in desks if desk.id == request.decision.get("source")), None)


def _is_without_place(request: DocumentRequest) -> bool:
    """Whether a request was denied as it stands, which may be over by now; what two officers wanted beyond a limit is not."""
    stored = request.decision.get("decision")
    return (
        isinstance(stored, Mapping) and stored.get("outcome") == Outcome.DENY.word and not request.found.get("override")
    )


def _no_agreement() -> Conflict:
    return Conflict("no-desk-agreement", "No agreement covers uploads by this library's desk.")


def _filled(
    work: Work, request: DocumentRequest, staff: Person, desk: Source, blob: Blob, now: datetime
) -> DocumentRequest:
    work.requests.add_try(Try(request.number, desk.id, now, "found", "", "upload"))
    found = {
        **request.found,
        "blob": blob.name,
        "sha256": blob.sha256,
        "bytes": blob.bytes,
        "source": desk.id,
        "open_access": False,
        "licence": "",
        "location": "",
        "by": staff.reader_key,
    }
    request = start_preparing(work, replace(request, found=found), Action.UPLOAD, now)
    where = (request.library_id, request.number)
    work.record(Event("request:uploaded", now, staff.reader_key, *where, digest=blob.sha256))
    return request


def replace_copy(ctx: Context, staff: Person, number: str, reason: str) -> DocumentRequest:
    """Take a wrong copy back: its link is revoked, its use refunded, and the request is at the desk again."""
    reason = _words(reason)
    with ctx.store.read() as work:
        request = work.requests.get(number)
        sources = work.sources.active()
    routes = find_routes(ctx, request.citation, request.library_id, sources)
    now = ctx.clock()
    with ctx.store.write() as work:
        request = _mine(work, staff, number)
        request = replace(request, state=move(request.state, Action.REPLACE), changed_at=now)
        delivery = work.deliveries.lock(request.delivery)
        work.deliveries.save(replace(delivery, state=CopyState.REPLACED, ended_at=now, ended_reason=reason))
        refund(work, request, now, staff.reader_key, reason)
        desk = [route for route in routes if route.source.kind == DESK]
        request = replace(
            request,
            copy_no=request.copy_no + 1,
            delivery="",
            found=lasting(request),
            source_id="",
            assignee_id=staff.id,
        )
        verdict = judge(work, request, work.libraries.get(request.library_id), desk, now)
        if verdict.route is None:
            raise _no_agreement()
        from delivery.services.deciding import kept_decision, reserve

        request = replace(
            request,
            source_id=verdict.route.source.id,
            decision=kept_decision(verdict),
            approved=verdict.route.source.id,
        )
        reserve(work, request, verdict, now, staff.reader_key)
        request = work.requests.save(request)
        work.record(
            Event(
                "request:replaced", now, staff.reader_key, request.library_id, number, delivery.number, code="bad-copy"
            )
        )
        payload = {"letter": "withdrawn", "request": number, "reason": reason}
        work.jobs.add(NewJob(MAIL, f"mail:withdrawn:{delivery.number}", payload), now)
    return request


def _words(text: str, limit: int = 2_000) -> str:
    text = text.strip()
    if not text:
        raise Invalid({"reason": "missing"})
    if len(text) > limit:
        raise Invalid({"reason": "too-long"})
    return text


def leave_unfilled(ctx: Context, staff: Person, number: str, reason: str) -> DocumentRequest:
    """End a request that cannot be supplied, with words for the reader. Its slots are given back."""
    reason = _words(reason)
    now = ctx.clock()
    with ctx.store.write() as work:
        request = _mine(work, staff, number)
        request = replace(
            request,
            state=move(request.state, Action.LEAVE_UNFILLED),
            reason="UNFILLED",
            reason_text=reason,
            changed_at=now,
        )
        request = work.requests.save(request)
        release(work, request, now, staff.reader_key, "unfilled", "unfilled")
        work.record(Event("request:unfilled", now, staff.reader_key, request.library_id, number))
        work.jobs.add(NewJob(MAIL, f"mail:unfilled:{number}", {"letter": "unfilled", "request": number}), now)
    return request


def say(ctx: Context, person: Person, number: str, text: str, note: bool = False) -> None:
    """A word: from the librarian to the reader (mailed), a note among staff, or from the reader to the library."""
    text = _words(text)
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.get(number)
        own = request.reader_id == person.id
        if not own or person.is_staff:
            require(person, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
            require_library(person, request.library_id)
        kind = "from_reader" if own and not note else "note" if note else "to_reader"
        work.requests.add_message(Message(number, now, kind, person.id, person.name, text))
        work.record(Event("request:message", now, person.reader_key, request.library_id, number, code=kind))
        if kind == "to_reader":
            said = work.requests.messages(number)[-1]
            payload = {"letter": "message", "request": number, "message": str(said.id)}
            work.jobs.add(NewJob(MAIL, f"mail:message:{said.id}", payload), now)


def cancel_for_reader(ctx: Context, staff: Person, number: str, reason: str) -> DocumentRequest:
    """Cancel on the reader's behalf, with a reason that he is told."""
    reason = _words(reason)
    now = ctx.clock()
    with ctx.store.write() as work:
        request = _mine(work, staff, number)
        request = replace(
            request, state=move(request.state, Action.CANCEL), hold="", reason_text=reason, changed_at=now
        )
        request = work.requests.save(request)
        release(work, request, now, staff.reader_key, "cancelled")
        work.record(Event("request:cancelled", now, staff.reader_key, request.library_id, number))
        work.jobs.add(NewJob(MAIL, f"mail:cancelled:{number}", {"letter": "cancelled", "request": number}), now)
    return request


def today(ctx: Context, staff: Person, since: datetime) -> Mapping[str, int]:
    """Figures of the day for the head of the queue: supplied and waiting."""
    counts = queue_counts(ctx, staff)
    return {
        "waiting": counts[State.AT_DESK.value],
        "supplied": counts[State.SUPPLIED.value],
        "since": int(since.timestamp()),
    }
