"""Second factors and recovery codes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Serial, UtcTime


class FactorRow(Base):
    """One second factor of a person. Secrets of apps are sealed; of a security key only the public key is known."""

    __tablename__ = "second_factors"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(100), default="")
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    credential: Mapped[str] = mapped_column(String(2048), default="")
    counter: Mapped[int] = mapped_column(BigInteger, default=0)
    added_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)


class RecoveryCodeRow(Base):
    """A recovery code, by its hash. Each works once."""

    __tablename__ = "recovery_codes"
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
