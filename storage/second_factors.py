"""Second factors and recovery codes in SQL."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from delivery.second_factors import Factor, FactorKind
from storage.models import FactorRow, RecoveryCodeRow


class SqlFactors:
    """What people prove their sign-ins by."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, factor: Factor) -> None:
        """Keep a new factor."""
        values = {field.name: getattr(factor, field.name) for field in fields(Factor) if field.name != "id"}
        self.session.add(FactorRow(**{**values, "kind": factor.kind.value}))
        self.session.flush()

    def of_person(self, person_id: str) -> tuple[Factor, ...]:
        """A person's factors, oldest first."""
        rows = self.session.scalars(select(FactorRow).where(FactorRow.person_id == person_id).order_by(FactorRow.id))
        return tuple(
            Factor(
                **{
                    **{field.name: getattr(row, field.name) for field in fields(Factor)},
                    "kind": FactorKind(row.kind),
                }
            )
            for row in rows
        )

    def advance(self, factor_id: int, counter: int, at: datetime) -> bool:
        """Whether the counter goes up by this: False for one that was used. A key that never counts stays at nought."""
        goes_up = FactorRow.counter < counter
        if counter == 0:
            goes_up = or_(goes_up, FactorRow.counter == 0)
        result: Any = self.session.execute(
            update(FactorRow)
            .where(FactorRow.id == factor_id, goes_up)
            .values(counter=counter, used_at=at)
            .execution_options(synchronize_session=False)
        )
        return bool(result.rowcount == 1)

    def remove(self, person_id: str, factor_id: int) -> bool:
        """Take one factor of a person away; False when there is none."""
        result: Any = self.session.execute(
            delete(FactorRow).where(FactorRow.person_id == person_id, FactorRow.id == factor_id)
        )
        return bool(result.rowcount == 1)

    def remove_all(self, person_id: str) -> int:
        """Take all factors and recovery codes of a person away; how many factors there were."""
        result: Any = self.session.execute(delete(FactorRow).where(FactorRow.person_id == person_id))
        self.put_codes(person_id, ())
        return int(result.rowcount)

    def put_codes(self, person_id: str, hashes: tuple[str, ...]) -> None:
        """These recovery codes from now on, and no older ones."""
        self.session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))
        self.session.add_all(RecoveryCodeRow(person_id=person_id, code_hash=code) for code in hashes)
        self.session.flush()

    def use_code(self, person_id: str, code_hash: str, at: datetime) -> bool:
        """Whether this is the first use of one of the person's codes."""
        result: Any = self.session.execute(
            update(RecoveryCodeRow)
            .where(
                RecoveryCodeRow.person_id == person_id,
                RecoveryCodeRow.code_hash == code_hash,
                RecoveryCodeRow.used_at.is_(None),
            )
            .values(used_at=at)
            .execution_options(synchronize_session=False)
        )
        return bool(result.rowcount == 1)

    def codes_left(self, person_id: str) -> int:
        """How many recovery codes were not used."""
        wanted = (
            select(func.count())
            .select_from(RecoveryCodeRow)
            .where(RecoveryCodeRow.person_id == person_id, RecoveryCodeRow.used_at.is_(None))
        )
        return self.session.scalar(wanted) or 0
