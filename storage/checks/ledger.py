"""The ledger equals what was supplied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.lifecycle import OPEN, State
from delivery.violations import Patience, Violation
from storage.checks.asking import as_text, stream
from storage.models import DeliveryRow, LedgerRow, RequestRow, UsageRow


def _of(kind: str) -> Any:
    return func.sum(case((LedgerRow.kind == kind, 1), else_=0))


def odd_entries(session: Session, patience: Patience) -> Iterator[Violation]:
    """Of each claim and rule: reserved before anything else, settled or released but not both, refunded only when settled,
    and nothing else; all of it under one agreement and scope."""
    reserve, settle, release, refund = (_of(kind) for kind in ("reserve", "settle", "release", "refund"))
    other = or_(
        func.min(LedgerRow.scope) != func.max(LedgerRow.scope),
        func.min(LedgerRow.agreement) != func.max(LedgerRow.agreement),
    )
    known = reserve + settle + release + refund
    odd = or_(
        func.count() != known,
        other,
        reserve != 1,
        settle > 1,
        release > 1,
        refund > 1,
        and_(settle > 0, release > 0),
        and_(refund > 0, settle == 0),
    )
    found = (
        select(LedgerRow.claim, LedgerRow.rule, reserve, settle, release, refund)
        .group_by(LedgerRow.claim, LedgerRow.rule)
        .having(odd)
    )
    for claim, rule, *counts in stream(session, found):
        told = " ".join(
            f"{name} {count}" for name, count in zip(("reserve", "settle", "release", "refund"), counts, strict=True)
        )
        yield Violation("ledger-odd", {"claim": claim, "rule": rule}, told)


def odd_records(session: Session, patience: Patience) -> Iterator[Violation]:
    """What a copy counts as fits its slots: filled is settled, cancelled is given back, reserved is neither."""
    kinds: dict[str, Any] = {kind: _of(kind) for kind in ("settle", "release", "refund")}
    slots = (
        select(LedgerRow.claim, LedgerRow.rule, *(count.label(kind) for kind, count in kinds.items()))
        .group_by(LedgerRow.claim, LedgerRow.rule)
        .subquery()
    )
    back = slots.c.release + slots.c.refund
    odd = or_(
        UsageRow.claim.is_(None),
        and_(UsageRow.status == "filled", or_(slots.c.refund > 0, slots.c.settle + slots.c.release == 0)),
        and_(UsageRow.status == "cancelled", back == 0),
        and_(UsageRow.status == "reserved", slots.c.settle > 0),
    )
    found = (
        select(slots.c.claim, slots.c.rule, UsageRow.status, slots.c.settle, slots.c.release, slots.c.refund)
        .outerjoin(UsageRow, UsageRow.claim == slots.c.claim)
        .where(odd)
    )
    for claim, rule, status, settle, release, refund in stream(session, found):
        told = f"it counts as {status or 'nothing'}, with settle {settle} release {release} refund {refund}"
        yield Violation("ledger-record-differs", {"claim": claim, "rule": rule}, told)


def settled_twice(session: Session, patience: Patience) -> Iterator[Violation]:
    """A request is settled once for each rule; what was refunded before does not count."""
    held = func.sum(case((LedgerRow.kind == "settle", 1), (LedgerRow.kind == "refund", -1), else_=0))
    found = (
        select(UsageRow.request, LedgerRow.rule, held)
        .join(UsageRow, UsageRow.claim == LedgerRow.claim)
        .group_by(UsageRow.request, LedgerRow.rule)
        .having(held > 1)
    )
    for request, rule, number in stream(session, found):
        yield Violation("settled-twice", {"request": request, "rule": rule}, f"it counts {number} times")


def copies_and_counts(session: Session, patience: Patience) -> Iterator[Violation]:
    """As many records count for a request as copies were supplied. A withdrawn copy may count or not, a replaced one never."""
    filled = (
        select(UsageRow.request.label("request"), func.count().label("filled"))
        .where(UsageRow.status == "filled")
        .group_by(UsageRow.request)
        .subquery()
    )
    standing = func.sum(
        case((DeliveryRow.state.in_([CopyState.LIVE.value, CopyState.EXPIRED.value]), 1), else_=0)
    ).label("standing")
    withdrawn = func.sum(case((DeliveryRow.state == CopyState.REVOKED.value, 1), else_=0)).label("withdrawn")
    made = select(DeliveryRow.request.label("request"), standing, withdrawn).group_by(DeliveryRow.request).subquery()
    counts, stands = func.coalesce(filled.c.filled, 0), func.coalesce(made.c.standing, 0)
    back = func.coalesce(made.c.withdrawn, 0)
    found = (
        select(RequestRow.number, counts, stands, back)
        .outerjoin(filled, filled.c.request == RequestRow.number)
        .outerjoin(made, made.c.request == RequestRow.number)
        .where(or_(counts < stands, counts > stands + back))
    )
    for number, count, copies, revoked in stream(session, found):
        code = "copy-not-counted" if count < copies else "counted-without-copy"
        yield Violation(code, {"request": number}, f"{count} count, {copies} stand, {revoked} were withdrawn")


def reserved_for_nobody(session: Session, patience: Patience) -> Iterator[Violation]:
    """A slot is held only for the present claim of a request that is still open."""
    present = RequestRow.number + "/" + as_text(RequestRow.copy_no)
    found = (
        select(UsageRow.claim, UsageRow.request, RequestRow.state)
        .outerjoin(RequestRow, RequestRow.number == UsageRow.request)
        .where(
            UsageRow.status == "reserved",
            or_(
                RequestRow.number.is_(None),
                RequestRow.state.not_in([State(state).value for state in OPEN]),
                UsageRow.claim != present,
            ),
        )
    )
    for claim, request, state in stream(session, found):
        yield Violation("slot-leaked", {"claim": claim, "request": request}, f"held for a request that is {state}")
