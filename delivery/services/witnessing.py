"""Bringing checkpoints to places outside, and witnessing the logs of others."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from delivery.errors import DeliveryError, NotFound
from delivery.log_places import KeptCheckpoint, Place, PlaceAhead, PlaceFailed, PlaceState
from delivery.services.asking_places import Asking, Trouble
from delivery.services.context import Context
from delivery.services.log_checking import Known
from delivery.services.log_tiles import cosigned, subtrees_of
from drm.audit.notes import BadNote, read_note
from drm.audit.tree import prove_consistency
from drm.audit.witnessing import SIZE_TYPE, Answer, judge, origin_of, read_submission

PAUSE = timedelta(minutes=1)
"""How long a place is left alone after it failed."""
ON_ITS_WAY = "on its way"
PATIENCE = 600.0
"""Seconds for which a check waits for the places outside where nobody says otherwise."""
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
        # Said before it is done: another process that looks now leaves it to us. A contradiction is told until it is over.
        said = state.trouble if state is not None and state.differs else ON_ITS_WAY
        work.tree.save_place(PlaceState(place.name, old, now, said))
    with ctx.store.read() as work:
        note = cosigned(work, last)

    def prove(size: int) -> list[bytes]:
        with ctx.store.read() as work:
            return prove_consistency(size, last.size, subtrees_of(work, last.size))

    try:
        line = place.give(note, old, prove)
    except PlaceFailed as failed:
        with ctx.store.write() as work:
            newest = work.tree.last_checkpoint()
            if isinstance(failed, PlaceAhead) and newest is not None and newest.size >= failed.size:
                # We were slow: another process has signed and brought there a newer one. The next round will tell.
                return ""
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
        pause = max(pause, LEASE if state.trouble == ON_ITS_WAY else PAUSE)
    # A clock that was set back must not put it off for as long.
    return not state.tried_at <= now < state.tried_at + pause


def seen_before(ctx: Context) -> tuple[tuple[Known, ...], dict[str, Trouble]]:
    """What our own record tells of the places outside, without asking any: how far they saw the log, and who refused it."""
    with ctx.store.read() as work:
        states = work.tree.places()
    return _recorded(ctx, states)


def _recorded(ctx: Context, states: dict[str, PlaceState]) -> tuple[tuple[Known, ...], dict[str, Trouble]]:
    known = tuple(Known(state.size, b"", f"the record of {name}") for name, state in states.items() if state.size)
    found = (states.get(place.name) for place in ctx.log.places)
    return known, {state.place: Trouble(state.trouble, True) for state in found if state is not None and state.differs}


def seen_outside(ctx: Context, seconds: float = PATIENCE) -> tuple[tuple[Known, ...], dict[str, Trouble]]:
    """What the places outside know of the log; and by place, why it could not be asked or in what it contradicts the log.

    All are asked at the same time, and what has not answered after ``seconds`` is waited for no longer.
    """
    with ctx.store.read() as work:
        last = work.tree.last_checkpoint()
        states = work.tree.places()
    end = time.monotonic() + seconds
    asking = {place.name: Asking(ctx, place, last, states.get(place.name), end) for place in ctx.log.places}
    for thread in asking.values():
        thread.start()
    known, troubles = _recorded(ctx, states)
    for name, thread in asking.items():
        more, trouble = thread.found()
        known = (*known, *more)
        if trouble is not None and (trouble.differs or name not in troubles):
            troubles[name] = trouble
    return known, troubles


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
        # The whole text, with lines that others have added to the three: a cosignature covers all that the log signed.
        text = read_note(submission.note).text
        return answer.value, "text/plain", ctx.log.keys.witness.line(text, int(now.timestamp()))
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
