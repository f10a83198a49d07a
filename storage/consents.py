"""Declarations and fees in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import case, literal, null, select, update
from sqlalchemy.orm import Session

from delivery.consents import Declaration, Fee
from storage.models import DeclarationRow, FeeRow

DECLARED = tuple(field.name for field in fields(Declaration))
CHARGED = tuple(field.name for field in fields(Fee))


class SqlConsents:
    """What people agreed to. A second consent to the same rule of the same request changes nothing."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def declare(self, declaration: Declaration) -> bool:
        """Keep a declaration; False when this rule was declared before."""
        known = select(DeclarationRow.id).where(
            DeclarationRow.request == declaration.request, DeclarationRow.rule == declaration.rule
        )
        if self.session.scalar(known) is not None:
            return False
        values = {name: getattr(declaration, name) for name in DECLARED}
        self.session.add(DeclarationRow(**values | {"statements": dict(declaration.statements)}))
        self.session.flush()
        return True

    def declarations(self, request: str) -> tuple[Declaration, ...]:
        """The declarations of a request, oldest first."""
        rows = self.session.scalars(
            select(DeclarationRow).where(DeclarationRow.request == request).order_by(DeclarationRow.id)
        )
        return tuple(_declaration(row) for row in rows)

    def declarations_between(self, since: datetime, until: datetime) -> tuple[Declaration, ...]:
        """Declarations signed in [since, until), oldest first: for an inspection."""
        rows = self.session.scalars(
            select(DeclarationRow)
            .where(DeclarationRow.signed_at >= since, DeclarationRow.signed_at < until)
            .order_by(DeclarationRow.signed_at, DeclarationRow.id)
        )
        return tuple(_declaration(row) for row in rows)

    def charge(self, fee: Fee) -> bool:
        """Keep an accepted fee; False when this rule's was accepted before."""
        known = select(FeeRow.id).where(FeeRow.request == fee.request, FeeRow.rule == fee.rule)
        if self.session.scalar(known) is not None:
            return False
        self.session.add(FeeRow(**{name: getattr(fee, name) for name in CHARGED}))
        self.session.flush()
        return True

    def fees(self, request: str) -> tuple[Fee, ...]:
        """The fees of a request, oldest first."""
        rows = self.session.scalars(select(FeeRow).where(FeeRow.request == request).order_by(FeeRow.id))
        return tuple(_fee(row) for row in rows)

    def fees_between(self, since: datetime, until: datetime) -> tuple[Fee, ...]:
        """Fees that fell due in [since, until), oldest first."""
        rows = self.session.scalars(
            select(FeeRow)
            .where(FeeRow.standing == "due", FeeRow.due_at >= since, FeeRow.due_at < until)
            .order_by(FeeRow.due_at, FeeRow.id)
        )
        return tuple(_fee(row) for row in rows)

    def fees_due(self, request: str, agreements: Collection[str], at: datetime) -> None:
        """Let the fees that these agreements ask for a request be due, also where its slots were given back in between; no others."""
        asked = FeeRow.agreement.in_(agreements)
        self._stand(
            request, case((asked, "due"), else_="void"), case((asked, literal(at, FeeRow.due_at.type)), else_=null())
        )

    def fees_void(self, request: str) -> None:
        """Let no fee of a request be due."""
        self._stand(request, "void", None)

    def _stand(self, request: str, standing: Any, at: Any) -> None:
        self.session.execute(
            update(FeeRow)
            .where(FeeRow.request == request)
            .values(standing=standing, due_at=at)
            .execution_options(synchronize_session=False)
        )


def _declaration(row: DeclarationRow) -> Declaration:
    return Declaration(**{name: getattr(row, name) for name in DECLARED})


def _fee(row: FeeRow) -> Fee:
    return Fee(**{name: getattr(row, name) for name in CHARGED})
