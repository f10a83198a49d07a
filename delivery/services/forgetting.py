"""Forgetting a person at his own wish: the account, the name, and the secret behind his pseudonym."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from delivery.copies import CopyState
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict
from delivery.lifecycle import OPEN
from delivery.people import Person
from delivery.ports import Work
from delivery.privacy import HoldKind
from delivery.services.context import Context
from delivery.services.keeping import verdict as keeping_verdict
from delivery.services.unlinking import forget_key, unlink
from drm.audit.events import Event
from drm.decisions import Outcome


def forget(ctx: Context, person: Person, actor: str) -> int:
    """Take a person away for good; returns how many requests no longer lead to anybody.

    His rows stay valid and count for his library, but nothing leads back to him: the salt of his pseudonym is gone with the
    account, so is the secret under which he was counted, and in each row a random value of its own stands for him. Copies that
    bear his name can no longer be opened, and their files go. Should he come again, he is somebody new. What was
    counted for a library card goes with the last of its accounts. Conflict while requests
    are open, a hold keeps him, or an agreement needs his name, with the date from which it is possible.
    """
    now = ctx.clock()
    with ctx.store.write() as work:
        work.people.lock(person.id)  # from here on he asks for nothing
        holds = work.privacy.holds()
        requests = [work.requests.lock(one.number) for one in work.privacy.of_reader_key(person.reader_key)]
        if any(hold.kind is HoldKind.READER and hold.target == person.reader_key for hold in holds):
            raise Conflict("legal-hold", "A legal hold keeps this reader's records.")
        if any(request.state in OPEN for request in requests):
            raise Conflict("open-requests", "Requests of this reader are open; cancel or finish them first.")
        for request in requests:
            verdict = keeping_verdict(work, request, now, "anonymise", holds)
            if verdict.reason == "LEGAL_HOLD":
                raise Conflict("legal-hold", f"A legal hold keeps the request {request.number}.")
            if verdict.outcome is not Outcome.ALLOW:
                until = verdict.counts.get("identity_until")
                raise Conflict("identity-needed", f"An agreement needs the reader's name until {until}.")
        for request in requests:
            _end_links(work, request, now, actor)
            for declaration_id in work.privacy.declarations_of(request.number):
                work.privacy.erase_declaration(declaration_id)
            unlink(work, request)
        if not work.secrets.shared(person.id):
            forget_key(work, work.secrets.key_of(person.id), person.group)
        work.secrets.destroy(person.id)
        work.watch.forget_reader(person.reader_key)
        work.privacy.forget_person(person.id)
        work.record(Event("person:forgotten", now, actor, person.library_id, counts={"requests": len(requests)}))
    return len(requests)


def _end_links(work: Work, request: DocumentRequest, now: datetime, actor: str) -> None:
    for number in sorted(one.number for one in work.deliveries.of_request(request.number)):
        delivery = work.deliveries.lock(number)
        if delivery.state is CopyState.LIVE:
            work.deliveries.save(replace(delivery, state=CopyState.REVOKED, ended_at=now))
            work.record(
                Event(
                    "copy:revoked", now, actor, delivery.library_id, request.number, delivery.number, code="forgotten"
                )
            )
