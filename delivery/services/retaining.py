"""Forgetting who asked for what, when no agreement and no hold needs it any longer: announced first, then carried out.

What goes is the way from a request to its reader, what he typed and what was said, and the sealed name in a declaration
whose time is over; years later the record of the request itself. The ledger and the log stay: they name nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from delivery.errors import Conflict
from delivery.jobs import RETAIN, NewJob
from delivery.lifecycle import OPEN
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.privacy import LegalHold, RetentionRound
from delivery.services import keeping
from delivery.services.context import Context, require
from delivery.services.deciding import parsed
from delivery.services.holding import is_held
from delivery.services.unlinking import unlink
from drm.audit.events import Event
from drm.decisions import Outcome
from drm.licence import check_retention

BATCH = 200
READER, SIGNATURE, RECORD = "reader", "signature", "record"
EVENTS = {READER: "reader:unlinked", SIGNATURE: "declaration:erased", RECORD: "record:purged"}


@dataclass(frozen=True)
class Due:
    """One thing that may go: the reader of a request, the signature of declaration ``id``, or the whole record.

    ``kept_until`` is what had to pass.
    """

    what: str
    request: str
    library_id: str
    kept_until: str
    id: int = 0


def due(ctx: Context, work: Work, at: datetime, alive: Callable[[], None] = lambda: None) -> Iterator[Due]:
    """What may be removed at an instant, by the agreements each request was decided under; holds win.

    ``alive`` is called for each thing that is looked at: many may be looked at of which none is due.
    """
    holds = work.privacy.holds()
    yield from _readers(ctx, work, at, holds, alive)
    yield from _signatures(ctx, work, at, holds, alive)
    yield from _records(ctx, work, at, holds, alive)


def _readers(
    ctx: Context, work: Work, at: datetime, holds: tuple[LegalHold, ...], alive: Callable[[], None]
) -> Iterator[Due]:
    before, after = at - ctx.settings.identity_life, ""
    while batch := work.privacy.closed_with_reader(before, after, BATCH):
        for request in batch:
            alive()
            verdict = keeping.verdict(work, request, at, "anonymise", holds)
            if verdict.outcome is Outcome.ALLOW:
                kept = (request.changed_at + ctx.settings.identity_life).date().isoformat()
                needed = str(verdict.counts.get("identity_until") or "")
                yield Due(READER, request.number, request.library_id, max(kept, needed))
        after = batch[-1].number


def _signatures(
    ctx: Context, work: Work, at: datetime, holds: tuple[LegalHold, ...], alive: Callable[[], None]
) -> Iterator[Due]:
    after = 0
    while batch := work.privacy.signed_declarations(after, BATCH):
        for declaration_id, number, agreement_id, version in batch:
            alive()
            request = work.requests.get(number)
            facts = keeping.record_facts(work, request, holds)
            agreement = parsed(work.agreements.get(agreement_id, version))
            verdict = check_retention([agreement], facts, at, "purge", work.libraries.get(request.library_id).tz)
            kept = str(verdict.counts.get("keep_until") or "")
            if not kept:
                # An agreement that asks for a signature and names no term: as long as the reader is known.
                verdict = keeping.verdict(work, request, at, "anonymise", holds)
                kept = (request.changed_at + ctx.settings.identity_life).date().isoformat()
                if date.fromisoformat(kept) >= at.date():
                    continue
            if verdict.outcome is Outcome.ALLOW:
                yield Due(SIGNATURE, number, request.library_id, kept, declaration_id)
        after = batch[-1][0]


def _records(
    ctx: Context, work: Work, at: datetime, holds: tuple[LegalHold, ...], alive: Callable[[], None]
) -> Iterator[Due]:
    """Whole records: of nobody any longer, without a file, and past every term that an agreement or a setting gives them."""
    before, after = at - ctx.settings.record_life, ""
    while batch := work.privacy.closed_records(before, after, BATCH):
        for request in batch:
            alive()
            verdict = keeping.verdict(work, request, at, "purge", holds)
            if verdict.outcome is Outcome.ALLOW:
                kept = (request.changed_at + ctx.settings.record_life).date().isoformat()
                yield Due(
                    RECORD, request.number, request.library_id, max(kept, str(verdict.counts["keep_until"] or ""))
                )
        after = batch[-1].number


def announce(ctx: Context, alive: Callable[[], None] = lambda: None) -> RetentionRound | None:
    """Announce a round when something is due and none is under way; officers see it before anything is removed.

    ``alive`` is called now and then, so that a job keeps its lease.
    """
    now = ctx.clock()
    with ctx.store.read() as work:
        if work.privacy.round() is not None:
            return None
        items = sum(1 for _ in due(ctx, work, now, alive))
    if not items:
        return None
    with ctx.store.write() as work:
        if work.privacy.round() is not None:
            return None
        found = work.privacy.announce(RetentionRound(now, now + ctx.settings.retention_notice, items))
        work.record(Event("retention:announced", now, "system", code=f"round:{found.id}"))
    return found


def carry_out(
    ctx: Context, officer: Person | None = None, alive: Callable[[], None] = lambda: None
) -> RetentionRound | None:
    """Remove what the announced round lists and is still due; holds that were placed meanwhile win.

    By itself (no officer) only when its time has come. Each removal is an event. None when there is nothing to do.
    ``alive`` is called now and then, so that a job keeps its lease.
    """
    if officer is not None:
        require(officer, Role.RIGHTS_OFFICER)
    now, actor = ctx.clock(), officer.reader_key if officer else "system"
    with ctx.store.read() as work:
        found = work.privacy.round()
        if found is None or (officer is None and now < found.due_at):
            return None
        items = tuple(due(ctx, work, found.announced_at, alive))
    for item in items:
        alive()
        _remove(ctx, found, item, now, actor)
    with ctx.store.write() as work:
        found = work.privacy.count_removed(found.id, 0)
        if found.done_at is not None:
            return found  # somebody else carried it out at the same time, and has said so
        found, removed = replace(found, done_at=now), found.removed
        work.privacy.keep_round(found)
        work.record(Event("retention:done", now, actor, code=f"round:{found.id}", counts={"removed": removed}))
    return found


def _remove(ctx: Context, of: RetentionRound, item: Due, now: datetime, actor: str) -> None:
    """Remove one item in a transaction of its own, unless a hold has come in between, or it is worked on again.

    The same transaction counts it for the round: who goes on after a crash, or beside another, knows of no other's removals.
    """
    with ctx.store.write() as work:
        request = work.requests.lock(item.request)
        if request.state in OPEN or is_held(work.privacy.holds(), request):
            return
        gone = {
            READER: lambda: unlink(work, request),
            SIGNATURE: lambda: work.privacy.erase_declaration(item.id),
            RECORD: lambda: work.privacy.purge_record(item.request, now),
        }[item.what]()
        if gone:
            work.privacy.count_removed(of.id, 1)
            work.record(Event(EVENTS[item.what], now, actor, item.library_id, item.request))


def schedule(ctx: Context) -> None:
    """Leave the job of this day: one worker announces what is due, or carries out the round whose time has come."""
    now = ctx.clock()
    with ctx.store.write() as work:
        work.jobs.add(NewJob(RETAIN, f"retain:{now:%Y-%m-%d}"), now)


def postpone(ctx: Context, officer: Person, days: int) -> RetentionRound:
    """Put the announced round off; Conflict when none is announced."""
    require(officer, Role.RIGHTS_OFFICER)
    now = ctx.clock()
    with ctx.store.write() as work:
        found = work.privacy.round()
        if found is None:
            raise Conflict("no-round", "No round of forgetting is announced.")
        found = replace(found, due_at=max(found.due_at, now) + timedelta(days=min(max(days, 1), 365)))
        work.privacy.keep_round(found)
        work.record(Event("retention:postponed", now, officer.reader_key, code=f"round:{found.id}"))
    return found
