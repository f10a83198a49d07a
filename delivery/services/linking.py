"""What happens to a link after it was sent: resend, extend, revoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from delivery.copies import CopyState, Delivery
from delivery.errors import Conflict, Invalid, NotFound
from delivery.jobs import MAIL, NewJob
from delivery.people import Person, Role
from delivery.services.context import Context, require, require_library
from delivery.services.copy_holding import hold_copy
from delivery.services.deciding import refund
from delivery.services.preparing import read_ready
from drm.audit.events import Event

MAX_EXTENSION = timedelta(days=366)


def resend(ctx: Context, person: Person, number: str) -> Delivery:
    """Mail the link again: by the reader himself, or by staff of his library, who thereby start a fresh period.

    Never an earlier end, nor a later one than the agreements give a link that is sent today.
    """
    now = ctx.clock()
    with ctx.store.write() as work:
        delivery = _reach(person, work.deliveries.lock(number))
        _must_live(delivery, now)
        if delivery.reader_id != person.id and delivery.expires_at is not None:
            ready = read_ready(ctx, work, work.requests.get(delivery.request))
            fresh = ready.terms.expires_at(now, ready.library.tz)
            delivery = replace(delivery, expires_at=max(delivery.expires_at, fresh or delivery.expires_at))
            work.deliveries.save(delivery)
        minute = now.strftime("%Y%m%d%H%M")
        payload = {"letter": "delivered", "request": delivery.request, "delivery": number}
        work.jobs.add(NewJob(MAIL, f"mail:resend:{number}:{minute}", payload), now)
        work.record(Event("copy:resent", now, person.reader_key, delivery.library_id, delivery.request, number))
    return delivery


def renewals_left(delivery: Delivery) -> int:
    """How often its reader may still give the link a fresh period by himself."""
    permitted, done = delivery.terms.get("renewals"), delivery.terms.get("renewed", 0)
    return max(0, permitted - done) if isinstance(permitted, int) and isinstance(done, int) else 0


def renew(ctx: Context, reader: Person, number: str) -> Delivery:
    """A fresh period at the reader's own wish, as often as the agreement permits; Conflict when it does not, or not again."""
    now = ctx.clock()
    with ctx.store.write() as work:
        delivery = _reach(reader, work.deliveries.lock(number))
        _must_live(delivery, now)
        if delivery.reader_id != reader.id or renewals_left(delivery) < 1:
            raise Conflict("no-renewals", "The agreement does not permit to renew this link; ask the library.")
        ready = read_ready(ctx, work, work.requests.get(delivery.request))
        fresh, end = ready.terms.expires_at(now, ready.library.tz), delivery.expires_at
        done = delivery.terms.get("renewed", 0)
        terms = {**delivery.terms, "renewed": (done if isinstance(done, int) else 0) + 1}
        delivery = replace(delivery, expires_at=max(end, fresh) if end and fresh else end, terms=terms)
        work.deliveries.save(delivery)
        work.record(Event("copy:renewed", now, reader.reader_key, delivery.library_id, delivery.request, number))
    return delivery


def extend(ctx: Context, staff: Person, number: str, days: int, opens: int = 0) -> Delivery:
    """Give a live link a later end, and more opens, at most as the agreements allow for a fresh link from today."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
    if not 0 <= days <= MAX_EXTENSION.days:
        raise Invalid({"days": "bad-number"})
    if not 0 <= opens <= 100:
        raise Invalid({"opens": "bad-number"})
    now = ctx.clock()
    with ctx.store.write() as work:
        delivery = _reach(staff, work.deliveries.lock(number))
        _must_live(delivery, now)
        ready = read_ready(ctx, work, work.requests.get(delivery.request))
        furthest = ready.terms.expires_at(now, ready.library.tz)
        end = delivery.expires_at
        if end is not None:
            end = end + timedelta(days=days)
            end = end if furthest is None else min(end, max(furthest, delivery.expires_at or furthest))
        limit = delivery.opens_limit
        if limit is not None and opens:
            allowed = ready.terms.opens
            limit = limit + opens if allowed is None else min(limit + opens, delivery.opens_used + allowed)
        delivery = replace(delivery, expires_at=end, opens_limit=limit)
        work.deliveries.save(delivery)
        work.record(Event("copy:extended", now, staff.reader_key, delivery.library_id, delivery.request, number))
    return delivery


def revoke(ctx: Context, staff: Person, number: str, reason: str, give_back: bool = False) -> Delivery:
    """Withdraw a copy at once, with a reason written for the reader. ``give_back`` refunds its use."""
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
    reason = reason.strip()
    if not reason or len(reason) > 2_000:
        raise Invalid({"reason": "too-long" if reason else "missing"})
    now = ctx.clock()
    with ctx.store.write() as work:
        request, delivery = hold_copy(work, number)
        _reach(staff, delivery)
        if delivery.state in {CopyState.REVOKED, CopyState.REPLACED}:
            raise Conflict("already-withdrawn", "This copy was withdrawn before.")
        delivery = replace(delivery, state=CopyState.REVOKED, ended_at=now, ended_reason=reason)
        work.deliveries.save(delivery)
        if give_back:
            refund(work, request, now, staff.reader_key, "withdrawn")
        work.record(
            Event(
                "copy:revoked",
                now,
                staff.reader_key,
                delivery.library_id,
                delivery.request,
                number,
                delivery.agreements,
            )
        )
        payload: Mapping[str, str] = {"letter": "withdrawn", "request": delivery.request, "reason": reason}
        work.jobs.add(NewJob(MAIL, f"mail:withdrawn:{number}", payload), now)
    return delivery


def _reach(person: Person, delivery: Delivery) -> Delivery:
    """The delivery, if it is the person's own or of the library he works for."""
    if delivery.reader_id == person.id:
        return delivery
    if not person.is_staff:
        raise NotFound("unknown-delivery", "There is no such delivery.")
    require(person, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
    require_library(person, delivery.library_id)
    return delivery


def _must_live(delivery: Delivery, now: datetime) -> None:
    over = delivery.expires_at is not None and delivery.expires_at <= now
    if delivery.state is not CopyState.LIVE or over:
        raise Conflict("link-ended", "This link has ended; a new request makes a new one.")
