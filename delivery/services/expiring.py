"""Closing what has ended: links past their end, files no longer needed, and old sign-ins."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

from delivery.copies import CopyState, Delivery
from delivery.lifecycle import Action, may, move
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.copy_holding import hold_copy
from drm.audit.events import Event

BATCH = 100
JOBS_BATCH = 500
KEEP_TOKENS = timedelta(days=2)
KEEP_ALARMS = timedelta(days=90)


def expire_links(ctx: Context) -> int:
    """Close live copies whose link has ended, and their requests. What was supplied stays counted."""
    now = ctx.clock()
    with ctx.store.write() as work:
        ended = work.deliveries.due_to_expire(now, BATCH)
        # In the sequence of their requests, so that two who close many links never wait for each other.
        numbers = [one.number for one in sorted(ended, key=attrgetter("request", "number"))]
        return sum(close_link(work, number, now) for number in numbers)


def close_link(work: Work, number: str, now: datetime) -> bool:
    """Close one live copy whose link has ended; False where there is nothing to close, or no longer."""
    request, delivery = hold_copy(work, number)
    if delivery.state is not CopyState.LIVE or delivery.expires_at is None or delivery.expires_at > now:
        return False
    work.deliveries.save(replace(delivery, state=CopyState.EXPIRED, ended_at=delivery.expires_at))
    if request.delivery == delivery.number and may(request.state, Action.EXPIRE):
        work.requests.save(replace(request, state=move(request.state, Action.EXPIRE), changed_at=now))
    work.record(Event("copy:expired", now, "system", delivery.library_id, delivery.request, delivery.number))
    return True


def remove_files(ctx: Context) -> int:
    """Remove the files and tails of ended copies, once the last window that could still be running is over."""
    now = ctx.clock()
    with ctx.store.read() as work:
        ended = work.deliveries.blobs_to_remove(now - ctx.settings.window, BATCH)
    for delivery in ended:
        remove_file(ctx, delivery, now)
    return len(ended)


def remove_file(ctx: Context, delivery: Delivery, now: datetime) -> None:
    """Remove the file or tail of one ended copy. Does nothing the second time."""
    if delivery.base_bytes is None:
        ctx.blobs.remove(delivery.blob)
    with ctx.store.write() as work:
        held = work.deliveries.lock(delivery.number)
        if held.blob_removed_at is not None:
            return
        work.deliveries.put_tail(delivery.number, b"")
        work.deliveries.save(replace(held, blob_removed_at=now))
        work.record(Event("copy:removed", now, "system", delivery.library_id, delivery.request, delivery.number))


def remove_masters(ctx: Context) -> int:
    """Retire prepared documents that are too old for new copies, and remove those that no copy needs."""
    now = ctx.clock()
    with ctx.store.write() as work:
        work.masters.retire_old(now - ctx.settings.master_life, now - ctx.settings.window, now)
    with ctx.store.read() as work:
        unneeded = work.masters.unneeded(BATCH)
    for kept in unneeded:
        # Retired before, it gets no new copies: nobody can need it between the look and this.
        ctx.blobs.remove(kept.blob)
        with ctx.store.write() as work:
            work.masters.removed(kept.id, now)
            work.record(Event("master:removed", now, "system", digest=kept.id, code=kept.retired_reason.split(":")[0]))
    return len(unneeded)


def remove_jobs(ctx: Context, after: int, most: int = JOBS_BATCH) -> int:
    """Remove jobs that were done long ago and that nobody needs, of a batch behind a number; the number to go on behind, 0 at the end."""
    since = ctx.clock() - ctx.settings.jobs_keep
    with ctx.store.read() as work:
        seen = work.past_jobs.walk(after, most)
    unneeded = [job.id for job in seen if not job.is_needed(since)]
    if unneeded:
        with ctx.store.write() as work:
            work.past_jobs.remove(unneeded)
    # Numbers go up as jobs are written: behind one that was written since then all are young.
    return seen[-1].id if len(seen) == most and seen[-1].created_at < since else 0


def forget_old(ctx: Context) -> None:
    """Drop ended sign-ins, used tokens kept answers, tallies, networks of links and old alarms, and secrets whose readers are no longer there."""
    now = ctx.clock()
    with ctx.store.write() as work:
        work.secrets.destroy_ownerless()
        work.tokens.forget_before(now - KEEP_TOKENS)
        work.watch.forget_before(now, now - ctx.settings.overshared_within, now - KEEP_ALARMS)
