"""Legal holds, acts of two persons, rounds of forgetting."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Serial, UtcTime


class HoldRow(Base):
    """A legal hold, kept also after it was lifted."""

    __tablename__ = "legal_holds"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(32))
    set_at: Mapped[datetime] = mapped_column(UtcTime)
    since: Mapped[datetime | None] = mapped_column(UtcTime)
    until: Mapped[datetime | None] = mapped_column(UtcTime)
    lifted_by: Mapped[str] = mapped_column(String(32), default="")
    lifted_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ActRow(Base):
    """An act that one officer asks for and another answers."""

    __tablename__ = "two_person_acts"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(32))
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    answer: Mapped[str] = mapped_column(String(16), default="")
    answered_by: Mapped[str] = mapped_column(String(32), default="")
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcTime)
    __table_args__ = (Index("ix_two_person_acts_subject", "subject", "kind"),)


class RoundRow(Base):
    """A round of forgetting."""

    __tablename__ = "retention_rounds"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    announced_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    items: Mapped[int]
    done_at: Mapped[datetime | None] = mapped_column(UtcTime)
    removed: Mapped[int] = mapped_column(default=0)
