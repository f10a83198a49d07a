"""Mail jobs: a job names what it is about; the letter is written at the moment of sending, so no name waits in a queue."""

from __future__ import annotations

import hashlib

from delivery import letters
from delivery.errors import NotFound
from delivery.jobs import Job
from delivery.letters import Addressee, DeskNews, Outcome
from delivery.people import Library, Person, Role
from delivery.ports import Letter, Work
from delivery.services.context import Context
from drm.audit.events import Event


def send_letter(ctx: Context, job: Job) -> None:
    """Write and send all letters of a mail job. MailFailed goes to the worker, which tries again later."""
    kind = job.payload["letter"]
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
    if kind in {"desk", "approval"}:
        people = (
            work.people.of_library(request.library_id, Role.LIBRARIAN)
            if kind == "desk"
            else work.people.with_role(Role.RIGHTS_OFFICER)
        )
        news = DeskNews(kind, request, f"{ctx.settings.staff_url}/requests/{request.number}")
        return [letters.to_staff(_addressee(ctx, person, library, job, f"-{person.id[:8]}"), news) for person in people]
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
    # A job that a person has tried again is the same letter.
    key = job.key.partition(":again")[0].replace(":", ".").lower()
    delivery = job.payload.get("delivery", "").lower()
    first = (
        delivery if delivery and job.payload["letter"] == "delivered" and "resend" not in job.key else f"{key}{suffix}"
    )
    return Addressee(person, library, f"<{first}@{host}>")
