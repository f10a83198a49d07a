"""The full check of copies drawn by lot after their publication, and what happens to a prepared document that fails it."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from datetime import datetime

from delivery.copies import CopyState, Delivery
from delivery.copy_terms import copy_spec
from delivery.document_request import DocumentRequest
from delivery.errors import DeliveryError, Unavailable
from delivery.jobs import AWAY, CHECK, ENGINE_BUSY, MAIL, MAX_ATTEMPTS, NewJob
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.copy_holding import hold_copy
from delivery.services.copy_making import CopyOrder, Made, make
from delivery.services.copy_passwords import copy_password
from delivery.services.copy_reading import OtherBytes, whole_file
from delivery.services.deciding import refund
from delivery.services.preparing import read_ready, stamp_record
from drm.audit.events import Event
from drm.pdf.hashing import sha256_of
from drm.pdf.values import PdfRefused
from drm.pdf.verifying import Expectation, Verdict

SURE = 3
"""At this attempt, a quarter of a minute after the first, bytes that came as others once more are what is stored."""
PASSING = AWAY | {ENGINE_BUSY}
"""Codes of troubles that a document has no part in."""
PATIENT = MAX_ATTEMPTS[CHECK]
"""At this attempt, some minutes after the first, a trouble that could have passed is taken for one that stays."""
WITHDRAWN = {
    "en": "The file did not pass a later check and could not be made again. Your library has been told.",
    "zh": "该文件未通过后续检查，且无法重新制作。已通知您的图书馆。",
}


def check_copy(ctx: Context, number: str, alive: Callable[[], None], attempt: int = PATIENT) -> None:
    """Check a published copy in full. Where it fails, its master is retired and every live copy of it is made anew.

    A copy that cannot be made anew is revoked: what is not known to carry its stamp is not handed out. Safe to run twice.
    Unavailable where a store or the machine is in trouble, to be tried again: before the attempt ``PATIENT`` that is nobody's fault.
    """
    with ctx.store.read() as work:
        delivery = work.deliveries.get(number)
    if delivery.state is not CopyState.LIVE or not delivery.master:
        return
    verdict = _verdict(ctx, delivery, attempt)
    now = ctx.clock()
    where, code = (delivery.library_id, delivery.request, number), "good" if verdict.good else verdict.code
    with ctx.store.write() as work:
        retired = not verdict.good and work.masters.retire(delivery.master, f"{verdict.code}: {verdict.text}", now)
        if verdict.good or retired:  # else an earlier attempt, or the check of another copy, has told it
            work.record(Event("copy:checked", now, "system", *where, code=code))
        if retired:
            work.record(Event("master:retired", now, "system", digest=delivery.master, code=code))
    if verdict.good:
        return
    with ctx.store.read() as work:
        concerned = work.deliveries.of_master(delivery.master)
    # Itself last: while it is of this master, an attempt that was cut short is known to have left others behind.
    for one in sorted(concerned, key=lambda each: each == number):
        alive()
        make_anew(ctx, one, delivery.master, verdict.code, alive, PASSING if attempt < PATIENT else ())


def _verdict(ctx: Context, delivery: Delivery, attempt: int) -> Verdict:
    # The name was checked when the master was proved; the reader may have changed it since.
    expect = Expectation(delivery.pages, delivery.number, "", bool(delivery.stamp.get("encrypted")))
    other = Verdict(False, "output-invalid", "The stored master has other bytes than were prepared.")
    try:
        with whole_file(ctx, delivery) as path:
            if sha256_of(path, delivery.base_bytes) != delivery.master:
                return other
            return ctx.pdf.verify(path, expect, copy_password(ctx, delivery))
    except OtherBytes:
        if attempt < SURE:
            raise
        return other  # it was not the way that spoilt them


def make_anew(
    ctx: Context, number: str, master: str, code: str, alive: Callable[[], None], waits: Container[str] = ()
) -> None:
    """Make a live copy anew in its place, if it is still of this master; withdraw it where that cannot be done.

    DeliveryError or PdfRefused, and all as it was, where that is for a trouble whose code ``waits``.
    """
    with ctx.store.read() as work:
        delivery = work.deliveries.get(number)
        request = work.requests.get(delivery.request)
        ready = read_ready(ctx, work, request)
    spec, now = copy_spec(ctx, ready, number, delivery.issued_at), ctx.clock()
    made: Made | None = None
    try:
        made = make(ctx, CopyOrder(ready, spec, copy_password(ctx, delivery)), alive)
    except (PdfRefused, DeliveryError) as problem:
        if problem.code in waits:
            raise
        code = f"{code}:{problem.code}"
    with ctx.store.write() as work:
        request, delivery = hold_copy(work, number)
        if delivery.state is not CopyState.LIVE or delivery.master != master:
            return
        if made is None:
            _revoke(work, request, delivery, code, now)
        else:
            _put_in_place(work, delivery, made, code, now)


def _put_in_place(work: Work, delivery: Delivery, made: Made, code: str, now: datetime) -> None:
    """The same delivery under the same link, with other bytes: the old ones were not what they had to be."""
    if made.master is not None and not work.masters.use(made.master.id, now):
        raise Unavailable("master-gone", "The prepared document was given up meanwhile. It is prepared again.", 1)
    fresh = replace(
        delivery,
        blob=made.blob.name,
        sha256=made.report.sha256,
        bytes=made.report.bytes,
        pages=made.report.pages,
        engine=made.report.engine,
        stamp=stamp_record(made),
        master=made.master.id if made.master else "",
        base_bytes=None if made.whole else made.blob.bytes,
    )
    work.deliveries.save(fresh)
    work.deliveries.put_tail(delivery.number, made.tail)
    where = (delivery.library_id, delivery.request, delivery.number)
    work.record(Event("copy:remade", now, "system", *where, digest=fresh.sha256, code=code))


def _revoke(work: Work, request: DocumentRequest, delivery: Delivery, code: str, now: datetime) -> None:
    """Withdraw it, give back what it used, and tell the reader; the desk sees the code."""
    language = "zh" if request.language.startswith("zh") else "en"
    work.deliveries.save(replace(delivery, state=CopyState.REVOKED, ended_at=now, ended_reason=WITHDRAWN[language]))
    refund(work, request, now, "system", code)
    where = (delivery.library_id, delivery.request, delivery.number)
    work.record(Event("copy:revoked", now, "system", *where, code=code))
    payload = {"letter": "withdrawn", "request": delivery.request, "reason": WITHDRAWN[language]}
    work.jobs.add(NewJob(MAIL, f"mail:withdrawn:{delivery.number}", payload), now)
