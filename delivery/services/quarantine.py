"""Jobs that were set aside, and what a person does about them."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.errors import NotFound
from delivery.jobs import FETCH, PREPARE, NewJob, SetAside
from delivery.lifecycle import Action, may
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.fulfilling import look_again
from drm.audit.events import Event

AGAIN = ":again"
"""What follows in the key of a job that was set aside and is tried again, so that its letters keep their Message-ID."""


@dataclass(frozen=True)
class Retried:
    """What was done: the job that stands in the old one's place, or that its request looks at all sources again."""

    old: SetAside
    looks_again: bool = False


def waiting_for_person(ctx: Context) -> tuple[SetAside, ...]:
    """All jobs that were set aside, oldest first."""
    with ctx.store.read() as work:
        return work.jobs.set_aside_jobs()


def retry(ctx: Context, job_id: int, actor: str) -> Retried:
    """Try a job again, with all its attempts before it. NotFound when it is not set aside.

    A request that went to the desk meanwhile looks at all its sources again; one that has moved on stays as it is.
    """
    now = ctx.clock()
    with ctx.store.write() as work:
        old = _take(work, job_id, "retried", ctx)
        looks = False
        if old.kind in {FETCH, PREPARE}:
            request = work.requests.lock(old.payload["request"])
            looks = may(request.state, Action.LOOK)
            if looks:
                look_again(work, request, now)
        if not looks:
            work.jobs.add(NewJob(old.kind, f"{old.key.partition(AGAIN)[0]}{AGAIN}{old.id}", old.payload), now)
        work.record(Event("job:retried", now, actor, "", old.payload.get("request", ""), code=old.kind))
    return Retried(old, looks)


def dismiss(ctx: Context, job_id: int, actor: str) -> SetAside:
    """Give a job up for good; it stays on record. NotFound when it is not set aside."""
    with ctx.store.write() as work:
        old = _take(work, job_id, "dismissed", ctx)
        work.record(Event("job:dismissed", ctx.clock(), actor, "", old.payload.get("request", ""), code=old.kind))
    return old


def _take(work: Work, job_id: int, state: str, ctx: Context) -> SetAside:
    found = work.jobs.close_set_aside(job_id, state, ctx.clock())
    if found is None:
        raise NotFound("unknown-job", "There is no such job set aside.")
    return found
