"""What was supplied, sorted for recounting a limit scope by scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from storage.checks.asking import stream
from storage.models import DeliveryRow, EventRow, JointReaderRow, LedgerRow, RequestRow, UsageRow


@dataclass(frozen=True)
class Counted:
    """One copy in one scope. ``settled`` tells that it took this rule's slot, under these versions of agreements."""

    scope: tuple[str, ...]
    claim: str
    request: str
    facts: Mapping[str, Any]
    filled_at: datetime
    settled: bool
    approved: bool
    agreements: tuple[tuple[str, int], ...]


def rules_with_slots(session: Session) -> tuple[tuple[str, str], ...]:
    """Agreement and rule of every limit that was ever settled."""
    found = select(LedgerRow.agreement, LedgerRow.rule).where(LedgerRow.kind == "settle").distinct()
    return tuple((agreement, rule) for agreement, rule in session.execute(found.order_by(LedgerRow.rule)))


def logged_breaches(session: Session) -> frozenset[str]:
    """Requests whose copies broke a limit after the fact, by a correction that the log tells of."""
    return frozenset(session.scalars(select(EventRow.request).where(EventRow.kind == "quota:breach")))


def supplied_by_scope(session: Session, rule: str, per: Sequence[str], most: int) -> Iterator[Counted]:
    """All copies that count, by the parts of a rule's scope and then in the sequence of their fill.

    Scopes with no more copies than ``most`` are left out: whatever the window, they cannot be above it.
    """
    reader = func.coalesce(JointReaderRow.reader, UsageRow.reader)
    parts = [reader if part == "reader" else getattr(UsageRow, part) for part in per]
    slot = and_(
        LedgerRow.claim == UsageRow.claim,
        LedgerRow.rule == rule,
        LedgerRow.kind == "settle",
        LedgerRow.reason != "corrected",
    )
    found: Any = select(
        UsageRow.claim, UsageRow.request, UsageRow.facts, UsageRow.filled_at, LedgerRow.id, RequestRow.approved,
        DeliveryRow.agreements, *parts,
    )  # fmt: skip
    found = found.join(RequestRow, RequestRow.number == UsageRow.request)
    found = found.outerjoin(LedgerRow, slot).outerjoin(DeliveryRow, DeliveryRow.claim == UsageRow.claim)
    if "reader" in per:
        found = found.outerjoin(JointReaderRow, JointReaderRow.claim == UsageRow.claim)
    found = found.where(UsageRow.status == "filled", *(part.is_not(None) for part in parts))
    found = found.order_by(*parts, UsageRow.filled_at, UsageRow.claim)
    if per:
        counted = select(*(part.label(f"part_{at}") for at, part in enumerate(parts))).select_from(UsageRow)
        if "reader" in per:
            counted = counted.outerjoin(JointReaderRow, JointReaderRow.claim == UsageRow.claim)
        large = (
            counted.where(UsageRow.status == "filled")
            .group_by(*parts)
            .having(func.sum(UsageRow.copies) > most)
            .subquery()
        )
        found = found.join(large, and_(*(part == column for part, column in zip(parts, large.c, strict=True))))
    for claim, request, facts, filled_at, entry, approved, agreements, *scope in stream(session, found):
        if facts and filled_at is not None and len(facts) > 0:
            pairs = tuple((str(name), int(version)) for name, version in agreements or ())
            yield Counted(tuple(scope), claim, request, facts, filled_at, entry is not None, bool(approved), pairs)
