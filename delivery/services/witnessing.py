"""Bringing checkpoints to places outside, and witnessing the logs of others."""

from __future__ import annotations

from datetime import datetime, timedelta

from delivery.errors import DeliveryError, NotFound
from delivery.log_places import KeptCheckpoint, Place, PlaceFailed, PlaceState
from delivery.services.context import Context
from delivery.services.log_checking import Known
from delivery.services.log_tiles import cosigned, subtrees_of
from drm.audit.checkpoints import open_checkpoint
from drm.audit.keys import LogKeys
from drm.audit.notes import BadNote
from drm.audit.tree import prove_consistency
from drm.audit.witnessing import SIZE_TYPE, Answer, judge, origin_of, read_submission

PAUSE = timedelta(minutes=1)
"""How long a place is left alone after it failed."""
LEASE = timedelta(seconds=30)
"""Within this time of a try no other process tries the same place, so that one checkpoint is not brought there twice."""


def give_checkpoints(ctx: Context) -> dict[str, str]:
    """Bring the newest checkpoint to every place that has not seen it; what failed, by place. No transaction is open meanwhile."""
    troubles = {}
    for place in ctx.log.places:
        try:
            trouble = _give(ctx, place)
        except DeliveryError as error:
            trouble = error.code
        if trouble:
            troubles[place.name] = trouble
    return troubles


def _give(ctx: Context, place: Place) -> str:
    now = ctx.clock()
    with ctx.store.read() as work:
        last = work.tree.last_checkpoint()
        state = work.tree.places().get(place.name)
    if last is None or not _wants(place, state, last, now):
        return ""
    old = state.size if state is not None else 0
    with ctx.store.write() as work:
        # Said before it is done: another process that looks now leaves it to us.
        work.tree.save_place(PlaceState(place.name, old, now, "on its way"))
    with ctx.store.read() as work:
        note = cosigned(work, last)

    def prove(size: int) -> list[bytes]:
        with ctx.store.read() as work:
            return prove_consistency(size, last.size, subtrees_of(work, last.size))

    try:
        line = place.give(note, old, prove)
    except PlaceFailed as failed:
        with ctx.store.write() as work:
            work.tree.save_place(PlaceState(place.name, old, now, str(failed)))
        return str(failed)
    with ctx.store.write() as work:
        if line:
            work.tree.add_cosignature(last.size, place.name, line, now)
        work.tree.save_place(PlaceState(place.name, last.size, now))
    return ""


def _wants(place: Place, state: PlaceState | None, last: KeptCheckpoint, now: datetime) -> bool:
    if state is None:
        return True
    if state.size >= last.size:
        return False
    pause = timedelta(seconds=place.every_seconds)
    if state.trouble:
        pause = max(pause, LEASE if state.trouble == "on its way" else PAUSE)
    # A clock that was set back must not put it off for as long.
    return not state.tried_at <= now < state.tried_at + pause


def seen_outside(ctx: Context) -> tuple[tuple[Known, ...], dict[str, str]]:
    """What the places outside know of the log, and which could not be asked, with why."""
    with ctx.store.read() as work:
        last = work.tree.last_checkpoint()
        states = work.tree.places()
    known, troubles = [], {}
    for place in ctx.log.places:
        try:
            size, note = place.newest(last.note if last is not None else b"\n0\n")
            known.append(_known(ctx.log.keys, place, size, note))
        except PlaceFailed as failed:
            troubles[place.name] = str(failed)
        except BadNote as problem:
            # What lies there is no checkpoint of ours: the log, or the place, is not what it was.
            troubles[place.name] = f"what it keeps is no checkpoint of this log: {problem}"
    known.extend(Known(state.size, b"", f"the record of {name}") for name, state in states.items() if state.size)
    return tuple(known), troubles


def _known(keys: LogKeys, place: Place, size: int, note: bytes | None) -> Known:
    if note is None:
        return Known(size, b"", place.name)
    return known_from(keys, note, place.name)


def known_from(keys: LogKeys, note: bytes, where: str) -> Known:
    """What a checkpoint says of our log; BadNote where no key of ours signed it."""
    seen = open_checkpoint(note, keys.verifiers).checkpoint
    if seen.origin != keys.origin:
        raise BadNote(f"it is a checkpoint of {seen.origin}")
    return Known(seen.size, seen.root, where)


def add_checkpoint(ctx: Context, body: bytes) -> tuple[int, str, str]:
    """Another log's checkpoint for us to witness: the answer's status, kind and text (C2SP tlog-witness).

    What is cosigned is durable before it is answered; of two that come at once, one gets a conflict.
    """
    try:
        submission = read_submission(body)
        origin = origin_of(submission)
    except BadNote as problem:
        return Answer.MALFORMED.value, "text/plain", f"{problem}\n"
    now = ctx.clock()
    with ctx.store.write() as work:
        last = work.tree.witnessed(origin)
        answer, new = judge(submission, ctx.log.witnessed, last)
        if new is not None and not work.tree.witness(last, new, submission.note, now):
            answer, last, new = Answer.CONFLICT, work.tree.witnessed(origin), None
    if new is not None:
        return answer.value, "text/plain", ctx.log.keys.witness.line(new.text, int(now.timestamp()))
    if answer is Answer.CONFLICT:
        return answer.value, SIZE_TYPE, f"{last.size if last is not None else 0}\n"
    return answer.value, "text/plain", f"{answer.name.lower().replace('_', ' ')}\n"


def newest_checkpoint(ctx: Context) -> bytes:
    """The newest checkpoint with what witnesses have signed under it so far; NotFound where there is none yet."""
    with ctx.store.read() as work:
        last = work.tree.last_checkpoint()
        if last is None:
            raise NotFound("no-checkpoint-yet", "No checkpoint covers this event yet; one is signed every minute.")
        return cosigned(work, last)
