"""What counts, and for whom, is what the log says: its events are signed, the rows beside it are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.violations import Patience, Violation
from storage.checks.asking import stream
from storage.models import DeliveryRow, EventRow, JointReaderRow, LedgerRow, ReaderLinkRow, UsageRow

NOBODY = "?"
"""What stands in a scope for a part that is missing."""


def _of(kind: str, *columns: Any) -> Any:
    return select(EventRow.request, *columns).where(EventRow.kind == kind)


def scopes(session: Session, patience: Patience) -> Iterator[Violation]:
    """A slot is held under its own rule, and where that counts by reader, by the reader of its record."""
    scope, rule = LedgerRow.scope, LedgerRow.rule
    other = and_(scope != rule, ~scope.startswith(rule + "|"))
    reader = func.coalesce(UsageRow.reader, NOBODY)
    together = select(JointReaderRow.claim)
    foreign = and_(scope.contains("|reader="), ~scope.contains("|reader=" + reader), LedgerRow.claim.not_in(together))
    # What follows a reservation has its scope, or the slot is odd.
    found = (
        select(LedgerRow.claim, rule)
        .join(UsageRow, UsageRow.claim == LedgerRow.claim)
        .where(LedgerRow.kind == "reserve", or_(other, foreign))
    )
    for claim, named in stream(session, found):
        yield Violation("ledger-scope-differs", {"claim": claim, "rule": named}, "it counts for something else")


def times_of_filling(session: Session, patience: Patience) -> Iterator[Violation]:
    """A copy counts from the instant at which the log settles it. What was corrected since then is excused."""
    corrected = _of("quota:corrected")
    filled = select(UsageRow.request, UsageRow.filled_at).where(
        UsageRow.status == "filled", UsageRow.request.not_in(corrected)
    )
    for request, at in stream(session, filled.except_(_of("quota:settled", EventRow.at))):
        told = "at no time" if at is None else f"since {at:%Y-%m-%d %H:%M}"
        yield Violation("filled-at-differs", {"request": request}, f"it counts {told}, and the log says otherwise")


def readers(session: Session, patience: Patience) -> Iterator[Violation]:
    """A request is the reader's who asked for it. The way to him may be taken away, but not while his copy is live."""
    linked = select(ReaderLinkRow.request, ReaderLinkRow.reader_key)
    for request, _ in stream(session, linked.except_(_of("request:created", EventRow.actor))):
        yield Violation("reader-mixed-up", {"request": request}, "the log says that somebody else asked for it")
    lost = (
        select(DeliveryRow.number, DeliveryRow.request)
        .outerjoin(ReaderLinkRow, ReaderLinkRow.request == DeliveryRow.request)
        .where(DeliveryRow.state == CopyState.LIVE.value, ReaderLinkRow.request.is_(None))
    )
    for number, request in stream(session, lost):
        yield Violation("reader-gone", {"delivery": number, "request": request}, "its copy is live")
