"""One copy for several readers who ask together: each limit is counted for each of them."""

from __future__ import annotations

import re
from dataclasses import replace

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid
from delivery.lifecycle import State
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.services.context import Context, require, require_library
from delivery.services.deciding import find_routes, is_denied, judge, kept_decision, reroute
from delivery.services.fulfilling import hold
from drm.audit.events import Event
from drm.decisions import Outcome


def join(ctx: Context, staff: Person, number: str, emails: str) -> DocumentRequest:
    """Count a waiting request for further readers of its library too, and decide it again.

    Invalid for an address that is not theirs; Conflict, and nothing is changed, where a limit of one of them refuses it.
    """
    require(staff, Role.LIBRARIAN)
    with ctx.store.read() as work:
        request = work.requests.get(number)
        require_library(staff, request.library_id)
        source = work.sources.get(request.source_id) if request.source_id else None
    if source is None:
        raise Conflict("not-decided", "This request has no source yet; wait until it is at the desk.")
    routes = find_routes(ctx, request.citation, request.library_id, [source])
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        require_library(staff, request.library_id)
        if request.state is not State.AT_DESK and not (request.state is State.NEW and request.hold):
            raise Conflict("not-waiting", "Only a request that waits can be counted for more readers.")
        request = replace(request, found={**request.found, "joint": _keys(work, request, emails)}, changed_at=now)
        verdict = judge(work, request, work.libraries.get(request.library_id), routes, now)
        if verdict.route is None or is_denied(verdict.decision):
            raise Conflict(verdict.decision.reason.lower(), "A limit of one of these readers refuses it.")
        request = reroute(work, request, verdict, now, staff.reader_key)
        request = replace(request, decision=kept_decision(verdict), reason=verdict.decision.reason)
        work.record(Event("request:joined", now, staff.reader_key, request.library_id, number))
        if verdict.decision.outcome is not Outcome.ALLOW and not request.approved and not request.hold:
            return hold(work, request, verdict, now)
        return work.requests.save(request)


def _keys(work: Work, request: DocumentRequest, emails: str) -> list[str]:
    found = [work.secrets.key_of(request.reader_id) if request.reader_id else request.reader_key]
    for email in re.split(r"[\s,;，；]+", emails.strip()):
        person = work.people.by_email(email) if email else None
        if person is None or person.library_id != request.library_id:
            raise Invalid({"emails": "unknown-reader"})
        found.append(work.secrets.key_of(person.id))
    return list(dict.fromkeys(found))
