"""How fast somebody may go: acts are counted in the database, so that all processes agree, and too many are refused."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from delivery.copies import Delivery
from delivery.errors import TooFast
from delivery.people import Person
from delivery.ports import Work
from delivery.services.context import Context
from delivery.watching import Alarm, AlarmKind, Pace, Tally, estimated, tally_at
from drm.audit.events import Event

ASK = "ask"
OPEN = "open"
SIGN_IN = "sign_in"
DOCUMENTS, ATTEMPTS = "too-fast", "too-many-attempts"
SAYS = {
    DOCUMENTS: "This is more than the library's limit allows at a time. Wait, then go on.",
    ATTEMPTS: "There were too many attempts. Wait, then try again.",
}


@dataclass(frozen=True)
class Limited:
    """Who is counted under one pace; ``kind`` and ``subject`` say whom the alarm is about, "" for none."""

    scope: str
    pace: Pace
    kind: AlarmKind | None = None
    subject: str = ""
    library_id: str = ""


def scope_of(ctx: Context, *parts: str) -> str:
    """The keyed hash under which somebody is counted: the table of tallies names nobody."""
    return hmac.new(ctx.ring.derive("rushlight.pace.v1"), "|".join(parts).encode(), hashlib.sha256).hexdigest()


def take(ctx: Context, work: Work, limited: Sequence[Limited], code: str = DOCUMENTS) -> None:
    """Count one act for each; TooFast, and with the transaction nothing is counted, where one of them is at its limit.

    The limited one is the error's ``limited``. A refused act is not counted: who waits may go on.
    """
    now = ctx.clock()
    all_of = [(who, rate, tally_at(who.scope, rate, now)) for who in limited for rate in who.pace]
    here = work.watch.count([tally for _, _, tally in all_of])
    before = work.watch.counted([tally.before for _, _, tally in all_of])
    for who, rate, tally in all_of:
        if estimated(here[tally], before.get(tally.before, 0), rate, now) > rate.most:
            raise _Refused(code, who, _wait(tally, rate.seconds, now.timestamp()))


class _Refused(TooFast):
    def __init__(self, code: str, limited: Limited, retry_after: int) -> None:
        super().__init__(code, SAYS[code], retry_after)
        self.limited = limited


def _wait(tally: Tally, seconds: int, now: float) -> int:
    """Seconds after which a try may succeed: a tenth of the stretch, at most its rest, at least one."""
    return max(1, min(seconds // 10 or 1, int((tally.start + 1) * seconds - now)))


def give_back(ctx: Context, work: Work, limited: Sequence[Limited]) -> None:
    """Take one act of each back, in the stretch it was counted in or the next."""
    now = ctx.clock()
    work.watch.uncount([tally_at(who.scope, rate, now) for who in limited for rate in who.pace])


def admit(ctx: Context, act: str, person: Person, token_id: str = "") -> None:
    """Count one request or open of a person, for his account or card, his library, and the API token he uses.

    TooFast where one of them takes more than the settings allow; the first time on a day an event says so.
    """
    limited = _limited(ctx, act, person.card or person.reader_key, person.reader_key, person.library_id, token_id)
    if limited:
        with alarming(ctx, act), ctx.store.write() as work:
            take(ctx, work, limited)


def take_open(ctx: Context, work: Work, delivery: Delivery, token_id: str = "") -> None:
    """Count one open of a delivery for the reader it was made for, whoever opens it. To be called under ``alarming``."""
    whose = delivery.reader_key
    if delivery.reader_id and ctx.settings.paces.reader:
        whose = work.people.get(delivery.reader_id).card or whose
    take(ctx, work, _limited(ctx, OPEN, whose, delivery.reader_key, delivery.library_id, token_id))


@contextmanager
def alarming(ctx: Context, act: str) -> Iterator[None]:
    """Around a transaction: where it ends by TooFast, the alarm is kept in one of its own."""
    try:
        yield
    except _Refused as refused:
        _alarm(ctx, act, refused.limited)
        raise


def _limited(ctx: Context, act: str, whose: str, reader_key: str, library_id: str, token_id: str) -> list[Limited]:
    paces = ctx.settings.paces
    limited = [
        Limited(scope_of(ctx, act, "library", library_id), paces.library, AlarmKind.LIBRARY, library_id, library_id)
    ]
    if whose:
        limited.append(
            Limited(scope_of(ctx, act, "reader", whose), paces.reader, AlarmKind.READER, reader_key, library_id)
        )
    if token_id:
        limited.append(
            Limited(scope_of(ctx, act, "token", token_id), paces.token, AlarmKind.PROGRAM, token_id, library_id)
        )
    return [one for one in limited if one.pace]


def _alarm(ctx: Context, act: str, who: Limited) -> None:
    if who.kind is None:
        return
    now = ctx.clock()
    with ctx.store.write() as work:
        if work.watch.raise_alarm(Alarm(who.kind, who.subject, who.library_id, 1, now, now), add=True):
            if who.kind is AlarmKind.SIGN_IN:
                work.record(Event("person:sign_in_throttled", now, "anonymous"))
                return
            actor = who.subject if who.kind is AlarmKind.READER else "system"
            token = f":{who.subject}" if who.kind is AlarmKind.PROGRAM else ""
            work.record(Event("pace:exceeded", now, actor, who.library_id, code=f"{act}:{who.kind}{token}"))
