"""Making the reader's copy and publishing it: copy, settle, audit event and mail job in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from delivery.copies import CopyState, Delivery
from delivery.copy_terms import agreed_terms, copy_spec
from delivery.document_request import DocumentRequest, Try
from delivery.errors import Unavailable
from delivery.filenames import download_name
from delivery.jobs import CHECK, DESTROY, MAIL, NewJob
from delivery.lifecycle import Action, State, move
from delivery.numbers import delivery_number
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.copy_making import CopyOrder, Made, Ready, is_drawn, make
from delivery.services.copy_passwords import spelled
from delivery.services.deciding import (
    DESK,
    Verdict,
    agreement_pairs,
    find_routes,
    is_denied,
    judge_at_fill,
    kept_decision,
    parsed,
    settle,
)
from delivery.services.fulfilling import give_to_desk, look_again, refuse
from delivery.services.notices import must_destroy
from delivery.services.overriding import may_supply
from drm.audit.events import Event
from drm.pdf.values import PdfRefused

GONE_TRIES = 3
"""So often a text is looked for anew because its file is gone when its copy is to be made."""


def read_ready(ctx: Context, work: Work, request: DocumentRequest) -> Ready:
    """Collect what the copy of a request will show."""
    agreements = tuple(parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request))
    free = bool(request.found.get("open_access"))
    source = work.sources.get(str(request.found.get("source") or request.source_id))
    return Ready(
        request,
        work.libraries.get(request.library_id),
        work.people.get(request.reader_id) if request.reader_id else None,
        agreed_terms(() if free else agreements, ctx.presets, free),
        source,
        destroy=must_destroy(agreements) and not free,
    )


def prepare(ctx: Context, number: str, alive: Callable[[], None]) -> int | None:
    """Make, verify and publish the copy of a request. Safe to run twice: one claim has one delivery.

    Returns the job that tells the reader.
    """
    with ctx.store.read() as work:
        request, masters = work.requests.get_to_prepare(number)
        if request.state is not State.PREPARING:
            return None
        ready = replace(read_ready(ctx, work, request), masters=masters)
    now = ctx.clock()
    delivery = delivery_number(ctx.ring.derive("rushlight.delivery.v1"), request.claim)
    spec = copy_spec(ctx, ready, delivery, now)
    alive()
    try:
        made = make(ctx, CopyOrder(ready, spec, _password(ctx, ready, delivery)), alive)
    except PdfRefused as refusal:
        _file_refused(ctx, number, refusal)
        return None
    except Unavailable as trouble:
        if trouble.code == "blob-missing" and _file_gone(ctx, number, str(request.found["blob"])):
            return None
        raise
    most = ready.terms.link.max_bytes
    if most is not None and made.report.bytes > most:
        _forget(ctx, made)
        text = f"The copy has {made.report.bytes} bytes; the agreement permits {most} by link."
        _file_refused(ctx, number, PdfRefused("too-large", text))
        return None
    alive()
    return _publish(ctx, ready, delivery, made, now)


def _file_gone(ctx: Context, number: str, blob: str) -> bool:
    """Look for the text again where its file is gone: an agreement had it destroyed after another copy, just when this one had found it.

    False where it is not gone, or again and again: then a person has to look.
    """
    if ctx.blobs.exists(blob):
        return False
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        again = [one for one in work.requests.tries(number) if one.code == "blob-missing"]
        if request.state is not State.PREPARING or request.found.get("blob") != blob or len(again) >= GONE_TRIES:
            return False
        source = str(request.found.get("source") or request.source_id)
        work.requests.add_try(
            Try(number, source, now, "failed", "blob-missing", "The file was gone before the copy was made.")
        )
        work.record(Event("request:file_rejected", now, "system", request.library_id, number, code="blob-missing"))
        look_again(work, request, now, Action.TRY_NEXT, afresh=True)
    return True


def _password(ctx: Context, ready: Ready, delivery: str) -> str | None:
    own = ready.terms.copy.password == "reader"  # noqa: S105 - a mode, no secret
    return spelled(ctx, delivery, ctx.ring.current) if own else None


def _forget(ctx: Context, made: Made) -> None:
    """Leave nothing of a copy that is not published. A master stays for the next, until it is old."""
    if made.whole:
        ctx.blobs.remove(made.blob.name)


def _publish(ctx: Context, ready: Ready, number: str, made: Made, issued_at: datetime) -> int | None:
    now, mail = ctx.clock(), None
    with ctx.store.write() as work:
        request = _taken(work, ready.request, number, now)
        if request is None:
            published = False
        else:
            verdict = judge_at_fill(work, request, now)
            source = str(request.found.get("source", ""))
            # A file of one source never goes out on what was decided for another.
            published = request.decision.get("source") == source and may_supply(request, verdict.decision, source)
            if published:
                mail = _supply(work, request, verdict, made, _delivery(ctx, ready, number, made, issued_at), now)
            else:
                _turned_down(work, request, verdict, now)
    if not published:
        _forget(ctx, made)
    return mail


def _taken(work: Work, known: DocumentRequest, delivery: str, now: datetime) -> DocumentRequest | None:
    """The request as it was before it was supplied, held from here on; None where it no longer waits for this copy.

    It is locked by the statement that moves it on. Where the agreements then turn the copy down, it moves on from where it was.
    """

    def supplied(request: DocumentRequest) -> DocumentRequest:
        state = move(request.state, Action.SUPPLY)
        return replace(request, state=state, delivery=delivery, changed_at=now, reason="", reason_text="")

    changed = work.requests.change(known, supplied(known))
    if changed is not None:
        return replace(known, version=changed.version)
    request = work.requests.lock(known.number)  # it was changed while the copy was made
    if request.state is not State.PREPARING or request.claim != known.claim:
        return None
    return replace(request, version=work.requests.save(supplied(request)).version)


def _supply(
    work: Work, request: DocumentRequest, verdict: Verdict, made: Made, delivery: Delivery, now: datetime
) -> int:
    if made.master is not None and not work.masters.use(made.master.id, now):
        raise Unavailable("master-gone", "The prepared document was given up meanwhile. It is prepared again.", 1)
    work.deliveries.add(delivery, request.claim, made.tail)
    settle(work, request, verdict, now)
    work.record(
        Event(
            "copy:supplied",
            now,
            "system",
            request.library_id,
            request.number,
            delivery.number,
            delivery.agreements,
            digest=delivery.sha256,
            code=delivery.engine,
        )
    )
    payload = {"letter": "delivered", "request": request.number, "delivery": delivery.number}
    jobs = [NewJob(MAIL, f"mail:delivered:{delivery.number}", payload, follows=True)]
    if must_destroy(verdict.agreements) and not delivery.open_access:
        blob = str(request.found["blob"])
        jobs.append(NewJob(DESTROY, f"destroy:{request.claim}", {"request": request.number, "blob": blob}))
    if is_drawn(delivery.number) and made.master is not None:
        jobs.append(NewJob(CHECK, f"check:{delivery.number}", {"delivery": delivery.number}))
    return work.jobs.add_all(jobs, now)[0]


def _turned_down(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime) -> None:
    """The agreements no longer permit it: the next source, or the refusal with its reason."""
    work.requests.add_try(
        Try(request.number, str(request.found.get("source", "")), now, "refused", verdict.decision.reason)
    )
    if is_denied(verdict.decision):
        refuse(work, replace(request, reason=verdict.decision.reason, decision=kept_decision(verdict)), now)
    else:
        look_again(work, request, now, Action.TRY_NEXT)


def _delivery(ctx: Context, ready: Ready, number: str, made: Made, issued_at: datetime) -> Delivery:
    request, terms, report = ready.request, ready.terms, made.report
    host = ctx.settings.sender.rpartition("@")[2].rstrip(">") or "localhost"
    return Delivery(
        number=number,
        request=request.number,
        library_id=request.library_id,
        reader_id=request.reader_id,
        reader_key=request.reader_key,
        state=CopyState.LIVE,
        blob=made.blob.name,
        sha256=report.sha256,
        bytes=report.bytes,
        pages=report.pages,
        filename=download_name(request.citation, number),
        issued_at=issued_at,
        expires_at=terms.expires_at(issued_at, ready.library.tz),
        opens_limit=terms.opens,
        same_reader_only=terms.same_reader_only,
        open_access=bool(request.found.get("open_access")),
        engine=report.engine,
        source_id=ready.source.id,
        source_sha256=str(request.found.get("sha256", "")),
        agreements=() if request.found.get("open_access") else agreement_pairs(request),
        stamp=stamp_record(made),
        terms={**terms.shown(), "password_key": ctx.ring.current},
        message_id=f"<{number.lower()}@{host}>",
        master=made.master.id if made.master else "",
        base_bytes=None if made.whole else made.blob.bytes,
    )


def stamp_record(made: Made) -> dict[str, object]:
    """What is kept of how a copy was made, for the librarian's page."""
    report = made.report
    return {
        "shown_name": bool(report.shown_name),
        "name_fallback": report.name_fallback,
        "overlap": list(report.overlap),
        "repaired": list(report.repaired),
        "removed": list(report.removed),
        "encrypted": report.encrypted,
        "notes": list(report.notes),
        "why": report.engine_reason,
        "fallback": report.fallback_reason or "",
    }


def _file_refused(ctx: Context, number: str, refusal: PdfRefused) -> None:
    """The file is no good: the next source is tried, or the desk hears why its upload was turned down."""
    now = ctx.clock()
    with ctx.store.read() as work:
        request = work.requests.get(number)
        sources = work.sources.active()
    routes = find_routes(ctx, request.citation, request.library_id, sources)
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        if request.state is not State.PREPARING:
            return
        source = work.sources.get(str(request.found.get("source") or request.source_id))
        work.requests.add_try(Try(number, source.id, now, "failed", refusal.code, refusal.text))
        work.record(Event("request:file_rejected", now, "system", request.library_id, number, code=refusal.code))
        if source.kind == DESK:
            give_to_desk(work, request, routes, now)
        else:
            look_again(work, request, now, Action.TRY_NEXT)
