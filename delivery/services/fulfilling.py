"""Finding the full text: one source after another, each under its own agreements, and the desk where machines find nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from delivery.blob_names import source_blob
from delivery.document_request import DocumentRequest, Try
from delivery.jobs import FETCH, MAIL, PREPARE, NewJob
from delivery.lifecycle import Action, State, move
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.deciding import (
    APPROVAL,
    DESK,
    Route,
    Verdict,
    agreement_pairs,
    decision_event,
    find_routes,
    hold_for,
    is_denied,
    judge,
    kept_decision,
    release,
    reroute,
)
from delivery.services.overriding import may_supply
from delivery.sources import Fetched, FetchFailed
from drm.audit.events import Event
from drm.decisions import Outcome

LASTING = frozenset({"declarations", "flags", "told", "override", "joint", "notices"})


@dataclass(frozen=True)
class _Search:
    """One round of looking: the request, its routes in the order to try, and what was tried in this round."""

    request: DocumentRequest
    routes: tuple[Route, ...]
    tried: frozenset[str]


def fetch(ctx: Context, number: str, alive: Callable[[], None]) -> int | None:
    """Look for the full text of a request. Safe to run twice: a finished step is not done again.

    ``alive`` is called between sources, so that the job's lease is kept. Returns the job that makes the copy, where one was found.
    """
    search = _begin(ctx, number)
    if search is None:
        return None
    request = search.request
    for route in search.routes:
        if route.source.kind == DESK or route.source.id in search.tried:
            continue
        alive()
        ended = _try_source(ctx, request, route)
        if ended is not None:
            return ended.following
        with ctx.store.read() as work:
            request = work.requests.get(number)
    _nothing_found(ctx, number, search.routes)
    return None


@dataclass(frozen=True)
class _Ended:
    """The search is over: found, with the job that follows, or the request has moved on meanwhile."""

    following: int | None = None


def _begin(ctx: Context, number: str) -> _Search | None:
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        began = request.state is State.NEW and not request.hold
        if began:
            request = replace(request, state=move(request.state, Action.LOOK), changed_at=now)
            # Nothing was tried for what nobody has touched since it was asked for.
            tries = () if request.version == 1 else work.requests.tries(number)
            request = replace(request, found={**request.found, "round": now.isoformat(), "tried": len(tries)})
            request = work.requests.save(request)
            work.record(Event("request:looked", now, "system", request.library_id, number))
        elif request.state is not State.FETCHING:
            return None
        sources = work.sources.active()
        # A round that begins now has tried nothing.
        tried = frozenset() if began else _tried(request, work.requests.tries(number))
    routes = find_routes(ctx, request.citation, request.library_id, sources)
    return _Search(request, tuple(sorted(routes, key=lambda route: route.source.rank)), tried)


def _tried(request: DocumentRequest, tries: tuple[Try, ...]) -> frozenset[str]:
    """The sources that were asked in this round: those behind as many tries as there were before it, whatever the clock did since."""
    before = request.found.get("tried")
    if isinstance(before, int):
        return frozenset(one.source_id for one in tries[before:])
    # An earlier release began the round, and kept no more than when.
    since = datetime.fromisoformat(str(request.found.get("round", request.created_at.isoformat())))
    return frozenset(one.source_id for one in tries if one.at >= since)


def _try_source(ctx: Context, request: DocumentRequest, route: Route) -> _Ended | None:
    """Ask one source; None when the next is to be asked."""
    number = request.number
    with ctx.blobs.workspace() as folder:
        target = folder / "source.pdf"
        try:
            fetched = ctx.fetcher(route.source).fetch(
                request.citation, target, time.monotonic() + ctx.settings.fetch_seconds
            )
        except FetchFailed as failure:
            _note_failure(ctx, number, route, failure)
            return None
        if not _reserved(request, route) and not _permitted(ctx, number, route):
            return None
        blob = ctx.blobs.put(source_blob(fetched.sha256), Path(fetched.path))
    return _found(ctx, request, route, fetched, blob.name)


def _note_failure(ctx: Context, number: str, route: Route, failure: FetchFailed) -> None:
    now = ctx.clock()
    outcome = "not_found" if failure.code in {"not-held", "no-open-copy", "not-found", "source-off"} else "failed"
    with ctx.store.write() as work:
        request = work.requests.get(number)
        work.requests.add_try(Try(number, route.source.id, now, outcome, failure.code, failure.text))
        work.record(
            Event("request:source_tried", now, "system", request.library_id, number, code=f"{outcome}:{failure.code}")
        )


def _permitted(ctx: Context, number: str, route: Route) -> bool:
    """Decide again where the text comes from another route than the reserved one. Denied: noted, and the next source is tried."""
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        if request.state is not State.FETCHING:
            return True
        if _reserved(request, route):
            return True
        verdict = judge(work, request, work.libraries.get(request.library_id), [route], now)
        if verdict.route and may_supply(request, verdict.decision, route.source.id):
            request = reroute(work, request, verdict, now, "system")
            work.requests.save(
                replace(request, source_id=route.source.id, reason="", decision=kept_decision(verdict), changed_at=now)
            )
            return True
        reason = verdict.decision.reason
        work.requests.add_try(Try(number, route.source.id, now, "refused", reason))
        work.record(decision_event("request:source_tried", request, verdict, now, "system"))
        return False


def _reserved(request: DocumentRequest, route: Route) -> bool:
    """Whether the request's slots are held for this route."""
    return route.source.id == request.source_id


def _found(ctx: Context, request: DocumentRequest, route: Route, fetched: Fetched, blob: str) -> _Ended | None:
    now, number = ctx.clock(), request.number
    with ctx.store.write() as work:
        moved = None
        if request.state is State.FETCHING and _reserved(request, route):
            moved = work.requests.change(request, _prepared_from(request, route, fetched, blob, now))
        if moved is None:
            # It was changed while the file came.
            request = work.requests.lock(number)
            if request.state is not State.FETCHING:
                return _Ended()
            if not _reserved(request, route):
                return None  # it was decided anew: nothing comes from here under the old decision
            moved = work.requests.save(_prepared_from(request, route, fetched, blob, now))
        work.requests.add_try(Try(number, route.source.id, now, "found", "", fetched.location))
        following = _leave_to_prepare(work, moved, now, follows=True)
        work.record(
            Event(
                "request:found",
                now,
                "system",
                moved.library_id,
                number,
                digest=fetched.sha256,
                code=route.source.kind,
            )
        )
    return _Ended(following)


def _prepared_from(
    request: DocumentRequest, route: Route, fetched: Fetched, blob: str, now: datetime
) -> DocumentRequest:
    found = {
        **request.found,
        "blob": blob,
        "sha256": fetched.sha256,
        "bytes": fetched.bytes,
        "source": route.source.id,
        "version": fetched.version,
        "licence": fetched.licence,
        "location": fetched.location,
        "open_access": route.open_access or fetched.open_access,
    }
    return replace(request, found=found, state=move(request.state, Action.FIND), changed_at=now)


def start_preparing(work: Work, request: DocumentRequest, action: Action, now: datetime) -> DocumentRequest:
    """Move on to preparing, and leave the job for it in the same transaction."""
    request = work.requests.save(replace(request, state=move(request.state, action), changed_at=now))
    _leave_to_prepare(work, request, now)
    return request


def _leave_to_prepare(work: Work, request: DocumentRequest, now: datetime, *, follows: bool = False) -> int:
    key = f"prepare:{request.number}:{request.version}"
    return work.jobs.add(NewJob(PREPARE, key, {"request": request.number}, follows=follows), now)


def _nothing_found(ctx: Context, number: str, routes: tuple[Route, ...]) -> None:
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        if request.state is not State.FETCHING:
            return
        if request.found.get("free_only"):
            _fall_back(work, request, routes, now)
            return
        give_to_desk(work, request, routes, now)


def _fall_back(work: Work, request: DocumentRequest, routes: tuple[Route, ...], now: datetime) -> None:
    """No open copy turned up: the licensed answer stands, decided afresh. Denied is refused, the rest waits for an officer."""
    licensed = [route for route in routes if not route.open_access]
    verdict = judge(work, request, work.libraries.get(request.library_id), licensed, now)
    request = replace(request, found={name: value for name, value in request.found.items() if name != "free_only"})
    if verdict.route is None or is_denied(verdict.decision):
        refuse(work, replace(request, reason=verdict.decision.reason, decision=kept_decision(verdict)), now)
    elif verdict.decision.outcome is Outcome.ALLOW:
        give_to_desk(work, request, routes, now)
    else:
        hold(work, reroute(work, request, verdict, now, "system"), verdict, now)


def hold(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime) -> DocumentRequest:
    """Put the request before a rights officer, or ask its reader for his consent, with its slots held."""
    source = verdict.route.source.id if verdict.route else request.source_id
    request = replace(
        request,
        state=request.state if request.state is State.NEW else move(request.state, Action.HOLD),
        hold=hold_for(verdict),
        source_id=source,
        reason=verdict.decision.reason,
        decision=kept_decision(verdict),
        changed_at=now,
    )
    request = work.requests.save(request)
    work.record(decision_event("request:held", request, verdict, now, "system"))
    letter = "approval" if request.hold == APPROVAL else "consent"
    key = f"mail:{letter}:{request.number}:{request.version}"
    work.jobs.add(NewJob(MAIL, key, {"letter": letter, "request": request.number}), now)
    return request


def without_place(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime) -> DocumentRequest:
    """Let a request that is denied as it stands now wait on, without a place under any limit: who mends it decides it anew."""
    release(work, request, now, "system", "edited")
    denied = replace(request, reason=verdict.decision.reason, decision=kept_decision(verdict))
    return work.requests.save(replace(denied, copy_no=request.copy_no + 1))


def refuse(work: Work, request: DocumentRequest, now: datetime, actor: str = "system") -> DocumentRequest:
    """End the request as not permitted: slots given back, the reader told why."""
    request = work.requests.save(replace(request, state=move(request.state, Action.REFUSE), hold="", changed_at=now))
    release(work, request, now, actor, "refused")
    agreements = agreement_pairs(request)
    work.record(
        Event(
            "request:refused",
            now,
            actor,
            request.library_id,
            request.number,
            agreements=agreements,
            code=request.reason,
        )
    )
    work.jobs.add(NewJob(MAIL, f"mail:refused:{request.number}", {"letter": "refused", "request": request.number}), now)
    return request


def give_to_desk(work: Work, request: DocumentRequest, routes: tuple[Route, ...], now: datetime) -> DocumentRequest:
    """Hand the request to the librarians under the desk's agreements, and tell them; refuse when those deny it."""
    desk = [route for route in routes if route.source.kind == DESK]
    verdict = judge(work, request, work.libraries.get(request.library_id), desk, now)
    approved = bool(desk) and (request.approved == desk[0].source.id or bool(request.found.get("override")))
    if verdict.route is None or (is_denied(verdict.decision) and not approved):
        return refuse(work, replace(request, reason=verdict.decision.reason, decision=kept_decision(verdict)), now)
    request = _reroute_to_desk(work, request, verdict, now)
    if verdict.decision.outcome is not Outcome.ALLOW and not approved:
        return hold(work, request, verdict, now)
    request = work.requests.save(replace(request, state=move(request.state, Action.GIVE_TO_DESK), changed_at=now))
    work.record(Event("request:to_desk", now, "system", request.library_id, request.number))
    key = f"mail:desk:{request.number}:{request.version}"
    work.jobs.add(NewJob(MAIL, key, {"letter": "desk", "request": request.number}), now)
    return request


def _reroute_to_desk(work: Work, request: DocumentRequest, verdict: Verdict, now: datetime) -> DocumentRequest:
    assert verdict.route is not None
    if request.source_id == verdict.route.source.id:
        return request
    request = reroute(work, request, verdict, now, "system")
    return replace(
        request, source_id=verdict.route.source.id, reason=verdict.decision.reason, decision=kept_decision(verdict)
    )


def lasting(request: DocumentRequest, *more: str) -> dict[str, object]:
    """What stays true of a request whatever file is found for it: what was declared, settled and granted."""
    return {name: value for name, value in request.found.items() if name in {*LASTING, *more}}


def look_again(
    work: Work, request: DocumentRequest, now: datetime, action: Action = Action.LOOK, afresh: bool = False
) -> DocumentRequest:
    """Look at sources again: at all of them, or with TRY_NEXT, unless ``afresh``, at those that were not asked in this round."""
    found = lasting(request, "free_only", "round", "tried")
    if action is Action.LOOK or afresh:
        found |= {"round": now.isoformat(), "tried": len(work.requests.tries(request.number))}
    request = work.requests.save(replace(request, state=move(request.state, action), found=found, changed_at=now))
    work.jobs.add(NewJob(FETCH, f"fetch:{request.number}:{request.version}", {"request": request.number}), now)
    return request
