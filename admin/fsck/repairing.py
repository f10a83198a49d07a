"""Puts right what is safe to put right. Each repair is an event of the log; what changed meanwhile is left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from admin.fsck.files import named
from admin.wiring import Services
from delivery.copies import CopyState
from delivery.errors import Conflict, NotFound
from delivery.jobs import FETCH, MAIL, PREPARE, NewJob
from delivery.lifecycle import State
from delivery.ports import Work
from delivery.services.expiring import close_link, remove_file
from delivery.violations import Patience, Repair, Violation
from drm.audit.events import Event


def repair(services: Services, found: Violation, patience: Patience) -> bool:
    """Repair one violation, if that is safe and still needed. True when something was done.

    False where its rows cannot be read; Unavailable where a store is away.
    """
    act = ACTS.get(found.repair)
    try:
        return act is not None and act(services, found, patience)
    except (NotFound, Conflict, ValueError):
        return False


def _record(services: Services, found: Violation, work: Work | None = None) -> None:
    now = services.ctx.clock()
    about = {name: found.ids.get(name, "") for name in ("request", "delivery")}
    event = Event("fsck:repaired", now, "system", "", about["request"], about["delivery"], code=found.code)
    if work is not None:
        work.record(event)
        return
    with services.store.write() as own:
        own.record(event)


def _requeue(services: Services, found: Violation, patience: Patience) -> bool:
    """Write the job of a lost request anew: looking and preparing are safe to run twice."""
    number = found.ids["request"]
    with services.store.write() as work:
        request = work.requests.lock(number)
        waits = request.state is State.NEW and not request.hold
        if not waits and request.state not in {State.FETCHING, State.PREPARING}:
            return False
        kind = PREPARE if request.state is State.PREPARING else FETCH
        request = work.requests.save(replace(request, changed_at=patience.now))
        work.jobs.add(NewJob(kind, f"{kind}:{number}:{request.version}:fsck", {"request": number}), patience.now)
        _record(services, found, work)
    return True


def _announce(services: Services, found: Violation, patience: Patience) -> bool:
    """Write the mail of a copy anew; it has the copy's own Message-ID."""
    number = found.ids["delivery"]
    with services.store.write() as work:
        delivery = work.deliveries.get(number)
        if delivery.state is not CopyState.LIVE:
            return False
        payload = {"letter": "delivered", "request": delivery.request, "delivery": number}
        work.jobs.add(NewJob(MAIL, f"mail:delivered:{number}", payload), patience.now)
        _record(services, found, work)
    return True


def _free_lease(services: Services, found: Violation, patience: Patience) -> bool:
    """Let a job be taken whose lease ended long ago."""
    with services.store.write() as work:
        if not work.jobs.free_stale(int(found.ids["job"]), patience.now, patience.now - patience.lease):
            return False
        _record(services, found, work)
    return True


def _ring(services: Services, found: Violation, patience: Patience) -> bool:
    """Ring again for a job that is due."""
    _record(services, found)
    services.store.ring(int(found.ids["job"]))
    return True


def _remove_blob(services: Services, found: Violation, patience: Patience) -> bool:
    """Remove a file that no row names and that was not written since."""
    name = found.ids["file"]
    before = patience.now.timestamp() - patience.grace.total_seconds()
    old = any(one.name == name and one.changed < before for one in services.ctx.blobs.listed(name))
    if not old or named(services, [name]):
        return False
    _record(services, found)
    services.ctx.blobs.remove(name)
    return True


def _sweep(services: Services, found: Violation, patience: Patience) -> bool:
    """Remove what was begun and never finished: the first sweep of a run takes all of it."""
    before = patience.now.timestamp() - patience.grace.total_seconds()
    services.ctx.blobs.sweep(before)
    if found.ids["file"] in services.ctx.blobs.unfinished(before):
        return False
    _record(services, found)
    return True


def _close_link(services: Services, found: Violation, patience: Patience) -> bool:
    """Close a copy whose link has ended."""
    with services.store.write() as work:
        if not close_link(work, found.ids["delivery"], patience.now):
            return False
        _record(services, found, work)
    return True


def _remove_file(services: Services, found: Violation, patience: Patience) -> bool:
    """Remove the file or tail of a copy that ended long ago."""
    with services.store.read() as work:
        delivery = work.deliveries.get(found.ids["delivery"])
    if delivery.state is CopyState.LIVE or delivery.blob_removed_at is not None:
        return False
    remove_file(services.ctx, delivery, patience.now)
    _record(services, found)
    return True


ACTS: Mapping[Repair, Callable[[Services, Violation, Patience], bool]] = {
    Repair.REQUEUE: _requeue,
    Repair.ANNOUNCE: _announce,
    Repair.FREE_LEASE: _free_lease,
    Repair.RING: _ring,
    Repair.REMOVE_BLOB: _remove_blob,
    Repair.SWEEP: _sweep,
    Repair.CLOSE_LINK: _close_link,
    Repair.REMOVE_FILE: _remove_file,
}
