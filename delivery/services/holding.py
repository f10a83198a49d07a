"""Legal holds: what nobody may remove while a dispute or an inspection lasts."""

from __future__ import annotations

from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.errors import Invalid, NotFound
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.privacy import HoldKind, LegalHold
from delivery.services.context import Context, require
from drm.audit.events import Event

LONGEST_REASON = 2_000


def words(text: str, field: str = "reason") -> str:
    """A reason in words; Invalid when there is none or too many."""
    text = text.strip()
    if not text or len(text) > LONGEST_REASON:
        raise Invalid({field: "too-long" if text else "missing"})
    return text


def place(
    ctx: Context,
    officer: Person,
    kind: HoldKind,
    target: str,
    reason: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> LegalHold:
    """Keep a request, all of a reader (by key), or a period from being removed, until the hold is lifted."""
    require(officer, Role.RIGHTS_OFFICER)
    reason, now = words(reason), ctx.clock()
    if kind is HoldKind.PERIOD and (since is None or (until is not None and until <= since)):
        raise Invalid({"since": "bad-period" if since else "missing"})
    with ctx.store.write() as work:
        target = "" if kind is HoldKind.PERIOD else _known(work, kind, target.strip())
        hold = LegalHold(kind, target, reason, officer.reader_key, now, since, until)
        hold = work.privacy.place_hold(hold)
        request = target if kind is HoldKind.REQUEST else ""
        work.record(Event("hold:placed", now, officer.reader_key, request=request, code=f"{kind}:{hold.id}"))
    return hold


def _known(work: Work, kind: HoldKind, target: str) -> str:
    if kind is HoldKind.REQUEST:
        return work.requests.get(target.upper()).number
    if work.people.by_reader_key(target) is None and not work.privacy.of_reader_key(target):
        raise NotFound("unknown-reader", "Nobody is known under this reader key.")
    return target


def lift(ctx: Context, officer: Person, hold_id: int) -> LegalHold:
    """End a hold. The hold and its end stay on record."""
    require(officer, Role.RIGHTS_OFFICER)
    now = ctx.clock()
    with ctx.store.write() as work:
        hold = work.privacy.lift_hold(hold_id, officer.reader_key, now)
        request = hold.target if hold.kind is HoldKind.REQUEST else ""
        work.record(Event("hold:lifted", now, officer.reader_key, request=request, code=f"{hold.kind}:{hold.id}"))
    return hold


def holds(ctx: Context, officer: Person) -> tuple[LegalHold, ...]:
    """All holds, newest first, those that were lifted too."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        return work.privacy.holds(lifted=True)


def is_held(holds_: tuple[LegalHold, ...], request: DocumentRequest) -> bool:
    """Whether any hold in force keeps a request."""
    return any(hold.keeps(request) for hold in holds_)
