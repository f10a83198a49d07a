"""Mail jobs: a job names what it is about; the letter is written at the moment of sending, so no name waits in a queue."""

from __future__ import annotations

import hashlib

from delivery import letters
from delivery.document_request import DocumentRequest
from delivery.errors import NotFound
from delivery.jobs import MAIL, Job, NewJob
from delivery.letters import Addressee, DeskNews, Outcome
from delivery.people import Library, Person, Role
from delivery.ports import Letter, Work
from delivery.services.context import Context
from drm.audit.events import Event

TO_STAFF = frozenset({"desk", "approval"})
"""Letters that go to several people."""


def send_letter(ctx: Context, job: Job) -> None:
    """Write and send the letter of a mail job. MailFailed goes to the worker, which tries again later.

    One that goes to several people is made into a job for each of them: what is wrong with one mailbox is no matter of the others.
    """
    kind = job.payload["letter"]
    if kind in TO_STAFF and "person" not in job.payload:
        _to_each(ctx, job)
        return
    with ctx.store.read() as work:
        try:
            written = _write(ctx, work, job)
        except NotFound:
            # The request or the person was erased meanwhile: there is nobody to write to.
            written = []
    for letter in written:
        ctx.mailer.send(letter)
    with ctx.store.write() as work:
        request, delivery = job.payload.get("request", ""), job.payload.get("delivery", "")
        work.record(Event("mail:sent", ctx.clock(), "system", "", request, delivery, code=kind))


def _write(ctx: Context, work: Work, job: Job) -> list[Letter]:
    kind = job.payload["letter"]
    if kind in {"confirm", "reset"}:
        return [_account_letter(ctx, work, job)]
    request = work.requests.get(job.payload["request"])
    library = work.libraries.get(request.library_id)
    if kind in TO_STAFF:
        news = DeskNews(kind, request, f"{ctx.settings.staff_url}/requests/{request.number}")
        # Who has left or has another office now is no longer among them.
        concerned = [person for person in _staff(work, kind, request) if person.id == job.payload["person"]]
        return [
            letters.to_staff(_addressee(ctx, person, library, job, f"-{person.id[:8]}"), news) for person in concerned
        ]
    if request.reader_id is None:
        return []
    reader = work.people.get(request.reader_id)
    to = _addressee(ctx, reader, library, job)
    page = f"{ctx.settings.public_url}/requests/{request.number}"
    if kind == "delivered":
        delivery = work.deliveries.get(job.payload["delivery"])
        return [letters.delivered(to, request, delivery, ctx.link(delivery.number), page)]
    if kind == "message":
        text = job.payload.get("message", "")
        said = [message for message in work.requests.messages(request.number) if str(message.id) == text]
        return [letters.message(to, request, said[0].text, page)] if said else []
    return [letters.outcome(to, request, Outcome(kind), page, job.payload.get("reason", ""))]


def _to_each(ctx: Context, job: Job) -> None:
    """Leave a job of his own for each whom a letter concerns. Run twice, also by its twin, it leaves no second one."""
    with ctx.store.write() as work:
        try:
            request = work.requests.get(job.payload["request"])
        except NotFound:
            return
        for person in _staff(work, job.payload["letter"], request):
            key = f"{job.key.partition(':again')[0]}:{person.id}"
            work.jobs.add(NewJob(MAIL, key, {**job.payload, "person": person.id}), ctx.clock())


def _staff(work: Work, kind: str, request: DocumentRequest) -> tuple[Person, ...]:
    if kind == "desk":
        return work.people.of_library(request.library_id, Role.LIBRARIAN)
    return work.people.with_role(Role.RIGHTS_OFFICER)


def _account_letter(ctx: Context, work: Work, job: Job) -> Letter:
    kind = job.payload["letter"]
    person = work.people.get(job.payload["person"])
    library = work.libraries.get(person.library_id)
    # The stamp binds the token to the password that stood when it was asked for: once changed, the token is void.
    token = ctx.signer(kind).sign([person.id, password_stamp(work.people.password(person.id))])
    base = ctx.settings.staff_url if kind == "reset" and person.is_staff else ctx.settings.public_url
    address = f"{base}/{kind}/{token}"
    to = _addressee(ctx, person, library, job)
    return letters.confirm(to, address) if kind == "confirm" else letters.reset(to, address)


def password_stamp(password: str) -> str:
    """A short text that changes when the password does, and tells nothing about it."""
    return hashlib.sha256(f"stamp:{password}".encode()).hexdigest()[:16]


def _addressee(ctx: Context, person: Person, library: Library, job: Job, suffix: str = "") -> Addressee:
    host = ctx.settings.sender.rpartition("@")[2].rstrip(">") or "localhost"
    # A job that a person has tried again is the same letter, and so is one of his own that an earlier release sent with others.
    key = job.key.partition(":again")[0]
    key = (key.removesuffix(f":{person.id}") if suffix else key).replace(":", ".").lower()
    delivery = job.payload.get("delivery", "").lower()
    first = (
        delivery if delivery and job.payload["letter"] == "delivered" and "resend" not in job.key else f"{key}{suffix}"
    )
    return Addressee(person, library, f"<{first}@{host}>")
