"""Libraries, people and what lets them in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Json, UtcTime


class LibraryRow(Base):
    """A member library."""

    __tablename__ = "libraries"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text, default="")
    isil: Mapped[str] = mapped_column(String(32), default="")
    country: Mapped[str] = mapped_column(String(2))
    tz: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    email: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(Text, default="")
    group_id: Mapped[str] = mapped_column(String(64), default="")
    agreements: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    for_profit: Mapped[bool] = mapped_column(default=False, server_default=false())


class PersonRow(Base):
    """The one table that holds identities. Forgetting a person empties this row; everything else carries ``reader_key``."""

    __tablename__ = "people"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text, unique=True)
    language: Mapped[str] = mapped_column(String(8))
    roles: Mapped[list[str]] = mapped_column(Json)
    standing: Mapped[str] = mapped_column(String(16))
    password: Mapped[str] = mapped_column(Text, default="")
    salt: Mapped[str] = mapped_column(String(64))
    reader_key: Mapped[str] = mapped_column(String(32), unique=True)
    category: Mapped[str] = mapped_column(String(32), default="")
    group_id: Mapped[str] = mapped_column(String(64), default="")
    card: Mapped[str] = mapped_column(String(32), default="", server_default="", index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class OutsideIdentityRow(Base):
    """Whom an outside provider knows under a subject of its own."""

    __tablename__ = "outside_identities"
    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    added_at: Mapped[datetime] = mapped_column(UtcTime)


class SignInRow(Base):
    """A live sign-in, found by the hash of its cookie's secret. Deleting the row signs out at once."""

    __tablename__ = "sign_ins"
    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    app: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime] = mapped_column(UtcTime)


class UsedTokenRow(Base):
    """Mailed tokens that were used: each works once."""

    __tablename__ = "used_tokens"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(UtcTime)


class ApiTokenRow(Base):
    """An API token that was issued. The token itself is not stored."""

    __tablename__ = "api_tokens"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(Text, default="")
    issued_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class IdempotencyRow(Base):
    """What an API call with an idempotency key answered."""

    __tablename__ = "idempotency"
    person_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    __table_args__ = (Index("ix_idempotency_created_at", "created_at"),)
