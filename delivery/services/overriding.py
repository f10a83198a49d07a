"""Supplying beyond a limit, when two rights officers want it: a closed refusal stays, and a new request takes its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict
from delivery.jobs import FETCH, NewJob
from delivery.lifecycle import State
from delivery.numbers import request_number
from delivery.people import Person
from delivery.ports import Work
from delivery.privacy import TwoPersonAct
from delivery.services.context import Context
from delivery.services.deciding import (
    Route,
    Verdict,
    decision_event,
    find_routes,
    is_denied,
    judge,
    kept_decision,
    reserve,
)
from drm.audit.events import Event
from drm.decisions import Decision, Outcome


def limits_alone_deny(decision: Decision) -> bool:
    """Whether nothing but limits refuses: a gate is law or licence, and no officer sets it aside."""
    denying = [
        result
        for result in decision.rules
        if result.outcome is Outcome.DENY and result.agreement not in decision.overridden
    ]
    return bool(denying) and all(result.type == "limit" for result in denying)


def may_override(request: DocumentRequest) -> bool:
    """Whether a request was refused by limits alone."""
    stored = request.decision.get("decision")
    if request.state is not State.REFUSED or not isinstance(stored, Mapping):
        return False
    return limits_alone_deny(Decision.from_dict(stored))


def may_supply(request: DocumentRequest, decision: Decision, source: str) -> bool:
    """Whether a file of a source may go out on this decision: allowed, or approved by an officer for this source and not denied.

    Where two officers wanted it so a denial by limits alone is passed over, whatever source has the file.
    """
    if decision.outcome is Outcome.ALLOW:
        return True
    if request.found.get("override"):
        return not is_denied(decision) or limits_alone_deny(decision)
    return bool(source) and request.approved == source and not is_denied(decision)


def routes_for(ctx: Context, act: TwoPersonAct) -> tuple[Route, ...]:
    """The licensed routes of the request that an act is about. Sources are asked, so no transaction may be open."""
    with ctx.store.read() as work:
        refused = work.requests.get(act.subject)
        sources = work.sources.active()
    found = find_routes(ctx, refused.citation, refused.library_id, sources)
    return tuple(route for route in found if not route.open_access)


def override(
    work: Work, act: TwoPersonAct, routes: Sequence[Route], officer: Person, now: datetime
) -> DocumentRequest:  # fmt: skip
    """A new request in the place of a refused one, approved beyond its limits. It counts like any other.

    Conflict when something else than a limit refuses by now, or when nobody is left to supply to.
    """
    refused = work.requests.lock(act.subject)
    if refused.reader_id is None:
        raise Conflict("reader-unknown", "The reader of this request is no longer known.")
    request = _fresh(refused, act, now)
    verdict = judge(work, request, work.libraries.get(request.library_id), routes, now)
    if verdict.route is None or (is_denied(verdict.decision) and not limits_alone_deny(verdict.decision)):
        raise Conflict("denied-meanwhile", "More than a limit refuses this request by now.")
    return _enter(work, request, verdict, officer, now)


def _fresh(refused: DocumentRequest, act: TwoPersonAct, now: datetime) -> DocumentRequest:
    known = {name: value for name, value in refused.found.items() if name in {"declarations", "flags", "told", "joint"}}
    return replace(
        refused,
        number=request_number(),
        state=State.NEW,
        created_at=now,
        changed_at=now,
        repeat_of=refused.number,
        reason="",
        reason_text=act.reason,
        hold="",
        copy_no=1,
        delivery="",
        found={**known, "override": act.id},
        version=1,
    )


def _enter(work: Work, request: DocumentRequest, verdict: Verdict, officer: Person, now: datetime) -> DocumentRequest:
    assert verdict.route is not None
    source = verdict.route.source.id
    request = replace(
        request,
        source_id=source,
        approved=source,
        reason=verdict.decision.reason,
        decision=kept_decision(verdict),
    )
    work.requests.add(request)
    work.record(Event("request:created", now, request.reader_key, request.library_id, request.number, code="override"))
    reserve(work, request, verdict, now, officer.reader_key)
    work.record(decision_event("request:approved", request, verdict, now, officer.reader_key))
    work.jobs.add(NewJob(FETCH, f"fetch:{request.number}:1", {"request": request.number}), now)
    return request
