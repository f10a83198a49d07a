"""Running jobs: claim, work, finish; what fails is tried again, and what keeps failing goes to a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from delivery.document_request import Try
from delivery.errors import DeliveryError, NotFound, Unavailable
from delivery.jobs import (
    AWAY,
    AWAY_PAUSE,
    AWAY_TRIES,
    BUSY_TRIES,
    CHECK,
    DESTROY,
    ENGINE_BUSY,
    FETCH,
    LONE_TRIES,
    MAIL,
    MAX_ATTEMPTS,
    POISON_TRIES,
    PREPARE,
    RETAIN,
    Job,
    backoff,
)
from delivery.lifecycle import Action, State, may, move
from delivery.ports import MailFailed
from delivery.services.checking import check_copy
from delivery.services.company import company
from delivery.services.context import Context
from delivery.services.fulfilling import fetch
from delivery.services.mailing import send_letter
from delivery.services.notices import destroy_source
from delivery.services.preparing import prepare
from delivery.services.retaining import announce, carry_out
from drm.audit.events import Event

FRESH = 0.1
"""The part of its lease for which a job is not renewed."""
Report = Callable[[str, Job, BaseException | None], None]


class Poison(Exception):
    """The job ends the workers that take it."""


class TakenOver(Exception):
    """The job's lease ran out and somebody else has it: stop without writing anything."""


def run_job(ctx: Context, job_id: int, report: Report) -> bool:
    """Claim and run one job. False when there was nothing to do. ``report`` hears of ends and failures, for the process log."""
    return _with_job(ctx, job_id, report, partial(_run_one, ctx, report))


def run_along(ctx: Context, job_id: int, report: Report) -> bool:
    """Claim and run one job, then the one that follows from it, as far as that goes: from the search to the mail.

    Each is a job with a lease and attempts of its own; only the end of one and the taking of the next are one transaction.
    False when there was nothing to do.
    """
    return _with_job(ctx, job_id, report, partial(_run_along, ctx, report))


def _with_job(ctx: Context, job_id: int, report: Report, run: Callable[[Job], None]) -> bool:
    """Claim a job and run it beside others of this process, or a suspect with nothing beside it; False when there is none."""
    with company.together():
        with ctx.store.write() as work:
            job = work.jobs.claim(job_id, ctx.clock())
        if job is None:
            return False
        if not job.is_suspect:
            run(job)
            return True
    if job.is_poison:
        poison = Poison(
            f"{job.deaths} workers in a row ended without a word while they had it, {LONE_TRIES} of them with nothing else in hand."
        )
        _failed(ctx, job, poison)
        report("failed", job, poison)
        return True
    with company.alone():
        with ctx.store.write() as work:
            begun = work.jobs.begin_alone(job, ctx.clock())
        if begun:
            run(job)
        else:
            report("taken over", job, None)
    return True


def _run_one(ctx: Context, report: Report, job: Job) -> None:
    if _run(ctx, job, report):
        with ctx.store.write() as work:
            work.jobs.finish(job, ctx.clock())
        report("done", job, None)


def _run_along(ctx: Context, report: Report, begun: Job) -> None:
    job: Job | None = begun
    while job is not None:
        done, following = _run(ctx, job, report), None
        if done:
            with ctx.store.write() as work:
                if done.following is None:
                    work.jobs.finish(job, ctx.clock())
                else:
                    following = work.jobs.go_on(job, done.following, ctx.clock())
            report("done", job, None)
        job = following


@dataclass(frozen=True)
class _Done:
    """A job that came to its end; ``following`` is the job that it left to be done next."""

    following: int | None


def _run(ctx: Context, job: Job, report: Report) -> _Done | None:
    """Run a claimed job; None when it failed, or somebody else has it now. It is still to be marked done."""
    try:
        return _Done(_perform(ctx, job))
    except TakenOver:
        report("taken over", job, None)
    except Exception as error:  # noqa: BLE001 - a job must never die silently, whatever went wrong in it
        _failed(ctx, job, error)
        report("failed", job, error)
    return None


def _perform(ctx: Context, job: Job) -> int | None:
    """Do the job; the id of the one that follows from it."""
    renewed = ctx.clock()

    def alive() -> None:
        nonlocal renewed
        now = ctx.clock()
        if timedelta() <= now - renewed < job.lease * FRESH:
            return  # nobody takes a job whose lease is this young
        with ctx.store.write() as work:
            if not work.jobs.renew(job, now):
                raise TakenOver(job.key)
        renewed = now

    if job.kind == FETCH:
        return fetch(ctx, job.payload["request"], alive)
    if job.kind == PREPARE:
        return prepare(ctx, job.payload["request"], alive)
    if job.kind == MAIL:
        send_letter(ctx, job)
    elif job.kind == DESTROY:
        destroy_source(ctx, job.payload["request"], job.payload["blob"])
    elif job.kind == CHECK:
        check_copy(ctx, job.payload["delivery"], alive, job.attempt)
    elif job.kind == RETAIN:
        announce(ctx, alive)
        carry_out(ctx, alive=alive)
    return None


def _failed(ctx: Context, job: Job, error: Exception) -> None:
    """Put the job back with a growing pause; after its last attempt set it aside and give the request to a person."""
    now = ctx.clock()
    if job.attempt < _tries(job, error):
        with ctx.store.write() as work:
            pause = min(backoff(job.attempt), AWAY_PAUSE) if _is_away(error) else backoff(job.attempt)
            work.jobs.retry(job, now + pause, _words(error))
        return
    with ctx.store.write() as work:
        if work.jobs.set_aside(job, now, _words(error)) and job.kind in {FETCH, PREPARE}:
            try:
                request = work.requests.lock(job.payload["request"])
            except NotFound:
                return  # nobody is left to tell: the job alone is set aside
            if request.state is State.NEW and not request.hold:
                # Nobody has looked yet: it gets to the desk by the same two moves as any other.
                request = replace(request, state=move(request.state, Action.LOOK))
            if may(request.state, Action.GIVE_TO_DESK):
                work.requests.add_try(Try(request.number, request.source_id, now, "failed", "set-aside", _words(error)))
                work.requests.save(replace(request, state=move(request.state, Action.GIVE_TO_DESK), changed_at=now))
                work.record(
                    Event("request:to_desk", now, "system", request.library_id, request.number, code="set-aside")
                )


def _tries(job: Job, error: Exception) -> int:
    """How often a job that fails like this is tried in all. Troubles that pass are waited for; what nobody foresaw comes again."""
    if isinstance(error, Poison) or (isinstance(error, MailFailed) and error.permanent):
        return 0
    if _is_away(error):
        return AWAY_TRIES
    if isinstance(error, Unavailable) and error.code == ENGINE_BUSY:
        return BUSY_TRIES
    foreseen = isinstance(error, DeliveryError | MailFailed | OSError | MemoryError)
    return MAX_ATTEMPTS[job.kind] if foreseen else POISON_TRIES


def _is_away(error: Exception) -> bool:
    return isinstance(error, Unavailable) and error.code in AWAY


def _words(error: Exception) -> str:
    """An error for the job row: our own errors in full, others by name only, for they may hold anything."""
    return str(error) if isinstance(error, DeliveryError | MailFailed | Poison) else type(error).__name__


def sweep(ctx: Context, limit: int = 50) -> tuple[int, ...]:
    """Ids of jobs that are due and that no worker holds."""
    with ctx.store.read() as work:
        return work.jobs.due(ctx.clock(), limit)


def free_gone(ctx: Context) -> int:
    """Give free the jobs of workers that are dead; how many they were."""
    with ctx.store.read() as work:
        if not any(line.state == "running" for line in work.jobs.lines(ctx.clock())):
            return 0
    with ctx.store.write() as work:
        return work.jobs.free_gone(ctx.clock())


def waiting(ctx: Context) -> bool:
    """Whether any job waits or runs now."""
    with ctx.store.read() as work:
        return any(line.state in {"queued", "running"} for line in work.jobs.lines(ctx.clock()))
