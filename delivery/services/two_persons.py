"""What one rights officer may not do alone: showing a reader's name or a signature, and supplying beyond a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from delivery.consents import Declaration
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, NotAllowed, NotFound
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.privacy import ActKind, TwoPersonAct
from delivery.services.context import Context, require
from delivery.services.holding import words
from delivery.services.overriding import may_override, override, routes_for
from drm.audit.events import Event
from drm.sealing import SealBroken

SHOWN_FOR = timedelta(hours=24)
"""How long a name may be looked at after the second officer has agreed."""


@dataclass(frozen=True)
class Waiting:
    """An act that waits for a second officer, with the request it is about where there is one."""

    act: TwoPersonAct
    request: DocumentRequest | None
    own: bool


def ask(ctx: Context, officer: Person, kind: ActKind, subject: str, reason: str) -> TwoPersonAct:
    """Ask for an act, with a reason. With one officer only (a setting) it is granted at once, and the log says so.

    NotFound for an unknown subject; Conflict where there is nothing to override.
    """
    require(officer, Role.RIGHTS_OFFICER)
    reason, now = words(reason), ctx.clock()
    with ctx.store.write() as work:
        _check(work, kind, subject)
        act = work.privacy.ask(TwoPersonAct(kind, subject, reason, officer.reader_key, now))
        _record(work, "act:asked", act, officer, now)
    return act if ctx.settings.two_person else answer(ctx, officer, act.id, True)


def _check(work: Work, kind: ActKind, subject: str) -> None:
    if kind is ActKind.UNMASK and work.people.by_reader_key(subject) is None:
        raise NotFound("unknown-reader", "Nobody is known under this reader key.")
    if kind is ActKind.OVERRIDE and not may_override(work.requests.get(subject)):
        raise Conflict("nothing-to-override", "Only a refusal by a limit alone can be overridden.")
    if kind is ActKind.SIGNER and not any(one.signed for one in work.consents.declarations(subject)):
        raise NotFound("no-signature", "No name is kept under a declaration of this request.")


def answer(ctx: Context, officer: Person, act_id: int, grant: bool) -> TwoPersonAct:
    """Grant or refuse what another officer asked for. A granted override makes a new request, which the act names."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        act = work.privacy.act(act_id)
    if act.answer:
        raise Conflict("answered", "This was answered before.")
    alone = act.asked_by == officer.reader_key
    if alone and grant and ctx.settings.two_person:
        raise Conflict("second-person", "Another rights officer has to agree to what you asked for.")
    beyond = grant and act.kind is ActKind.OVERRIDE
    routes = routes_for(ctx, act) if beyond else ()
    now = ctx.clock()
    with ctx.store.write() as work:
        act = work.privacy.act(act_id)
        if act.answer:
            raise Conflict("answered", "This was answered before.")
        made = override(work, act, routes, officer, now) if beyond else None
        act = replace(
            act,
            answer="granted" if grant else "refused",
            answered_by=officer.reader_key,
            answered_at=now,
            ends_at=now + SHOWN_FOR if grant and act.kind is not ActKind.OVERRIDE else None,
            subject=made.number if made else act.subject,
        )
        work.privacy.keep_act(act)
        _record(work, "act:granted" if grant else "act:refused", act, officer, now, "one-person" if alone else "")
    return act


def _record(work: Work, kind: str, act: TwoPersonAct, officer: Person, now: datetime, how: str = "") -> None:
    request = "" if act.kind is ActKind.UNMASK else act.subject
    code = f"{act.kind}:{act.id}" + (f":{how}" if how else "")
    work.record(Event(kind, now, officer.reader_key, request=request, code=code))


def waiting(ctx: Context, officer: Person) -> tuple[Waiting, ...]:
    """Acts that wait for a second officer, the oldest first."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        return tuple(
            Waiting(
                act,
                None if act.kind is ActKind.UNMASK else work.requests.get(act.subject),
                act.asked_by == officer.reader_key and ctx.settings.two_person,
            )
            for act in work.privacy.waiting()
        )


def shown(ctx: Context, officer: Person, reader_key: str) -> Person:
    """The person behind a pseudonym, for the officer to whom a second one has granted it. Each look is an event."""
    require(officer, Role.RIGHTS_OFFICER)
    now = ctx.clock()
    with ctx.store.write() as work:
        act = work.privacy.granted(ActKind.UNMASK, reader_key, officer.reader_key, now)
        if act is None:
            raise NotAllowed("not-granted", "A second rights officer has to agree before a name is shown.")
        person = work.people.by_reader_key(reader_key)
        if person is None:
            raise NotFound("unknown-reader", "Nobody is known under this reader key any longer.")
        work.record(Event("reader:shown", now, officer.reader_key, person.library_id, code=f"{act.kind}:{act.id}"))
    return person


def signers(ctx: Context, officer: Person, number: str) -> tuple[tuple[Declaration, str], ...]:
    """The declarations of a request with the names under them ("" where a name was erased), for the officer to whom it was granted.

    Each look is an event. Conflict when a seal cannot be opened with the keys that are there.
    """
    require(officer, Role.RIGHTS_OFFICER)
    now = ctx.clock()
    with ctx.store.write() as work:
        act = work.privacy.granted(ActKind.SIGNER, number, officer.reader_key, now)
        if act is None:
            raise NotAllowed("not-granted", "A second rights officer has to agree before a name is shown.")
        found = work.consents.declarations(number)
        library = work.requests.get(number).library_id
        work.record(Event("declaration:shown", now, officer.reader_key, library, number, code=f"{act.kind}:{act.id}"))
    try:
        return tuple((one, ctx.sealer.open(one.signed, one.record) if one.signed else "") for one in found)
    except SealBroken:
        raise Conflict(
            "seal-broken", "A name cannot be opened: the key it was sealed with is not in the key file."
        ) from None
