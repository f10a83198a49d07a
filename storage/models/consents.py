"""Declarations and fees."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Bytes, Json, Serial, UtcTime, widened


class DeclarationRow(Base):
    """A signed declaration. The signer's name is sealed and can be erased by itself."""

    __tablename__ = "declarations"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.number"))
    rule: Mapped[str] = mapped_column(String(128))
    agreement: Mapped[str] = mapped_column(String(64))
    agreement_version: Mapped[int] = mapped_column()
    jurisdiction: Mapped[str] = mapped_column(widened(64, was=16))
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id"))
    reader_key: Mapped[str] = mapped_column(String(32))
    signed: Mapped[bytes] = mapped_column(Bytes)
    signed_at: Mapped[datetime] = mapped_column(UtcTime)
    language: Mapped[str] = mapped_column(String(8))
    statements: Mapped[dict[str, Any]] = mapped_column(Json)
    __table_args__ = (
        UniqueConstraint("request", "rule", name="uq_declarations_request_rule"),
        Index("ix_declarations_signed_at", "signed_at"),
    )


class FeeRow(Base):
    """An accepted fee."""

    __tablename__ = "fees"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.number"))
    rule: Mapped[str] = mapped_column(String(128))
    agreement: Mapped[str] = mapped_column(String(64))
    agreement_version: Mapped[int] = mapped_column()
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id"))
    reader_key: Mapped[str] = mapped_column(String(32))
    amount: Mapped[str] = mapped_column(widened(64, was=32))
    currency: Mapped[str] = mapped_column(widened(64, was=8))
    accepted_by: Mapped[str] = mapped_column(String(32))
    accepted_at: Mapped[datetime] = mapped_column(UtcTime)
    standing: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    way: Mapped[str] = mapped_column(String(32), default="library-invoice", server_default="library-invoice")
    reference: Mapped[str] = mapped_column(widened(200, was=128), default="", server_default="")
    __table_args__ = (
        UniqueConstraint("request", "rule", name="uq_fees_request_rule"),
        Index("ix_fees_standing", "standing", "due_at"),
    )
