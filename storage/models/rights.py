"""Agreements, sources and the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Json, KeyText, PackedJson, Serial, UtcTime


class AgreementRow(Base):
    """One version of one agreement as its TOML text. A confirmed version never changes."""

    __tablename__ = "agreements"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    standing: Mapped[str] = mapped_column(String(16))
    effective_from: Mapped[datetime | None] = mapped_column(UtcTime)
    effective_to: Mapped[datetime | None] = mapped_column(UtcTime)
    proposed_by: Mapped[str] = mapped_column(String(32), default="")
    confirmed_by: Mapped[str] = mapped_column(String(32), default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    note: Mapped[str] = mapped_column(Text, default="")
    loaded_at: Mapped[datetime] = mapped_column(UtcTime)


class SourceRow(Base):
    """Where full texts come from. ``agreements`` are the ids that hold for it; none means no remote delivery."""

    __tablename__ = "sources"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    library_id: Mapped[str | None] = mapped_column(ForeignKey("libraries.id"))
    title: Mapped[str] = mapped_column(Text)
    agreements: Mapped[list[str]] = mapped_column(Json)
    settings: Mapped[dict[str, Any]] = mapped_column(Json)
    rank: Mapped[int] = mapped_column(default=100)
    active: Mapped[bool] = mapped_column(default=True)


RESERVED = text("status = 'reserved'")
OVERNIGHT = {
    "sqlite": text("substr(filled_at, 1, 10) != substr(requested_at, 1, 10)"),
    "postgresql": text("(filled_at AT TIME ZONE 'UTC')::date != (requested_at AT TIME ZONE 'UTC')::date"),
}
"""What was filled on another day than it was asked for. Queries say these word for word, else SQLite takes no partial index."""


class UsageRow(Base):
    """What one copy counts as: the record that ``decide`` reads. It holds no name; the reader is a pseudonym.

    The columns from ``copies`` to ``reader_group`` repeat what the facts say, for finding and adding up.
    """

    __tablename__ = "usage_records"
    claim: Mapped[str] = mapped_column(String(32), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.number"), index=True)
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id"))
    status: Mapped[str] = mapped_column(String(16))
    under: Mapped[list[str]] = mapped_column(Json)
    facts: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    copies: Mapped[int] = mapped_column(default=1, server_default="1")
    entity: Mapped[str | None] = mapped_column(KeyText)
    title: Mapped[str | None] = mapped_column(KeyText)
    work: Mapped[str | None] = mapped_column(KeyText)
    issue: Mapped[str | None] = mapped_column(KeyText)
    article: Mapped[str | None] = mapped_column(KeyText)
    reader: Mapped[str | None] = mapped_column(KeyText)
    reader_group: Mapped[str | None] = mapped_column(KeyText)
    requested_at: Mapped[datetime] = mapped_column(UtcTime)
    filled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    __table_args__ = (
        Index("ix_usage_reader", "reader", "requested_at"),
        Index("ix_usage_title", "title", "requested_at"),
        Index("ix_usage_work", "work", "requested_at"),
        Index("ix_usage_entity", "entity", "requested_at"),
        Index("ix_usage_filled", "status", "filled_at"),
        # What a window counts though it was asked for before: few, so that a library's or a title's past is not read.
        Index("ix_usage_reserved_entity", "entity", sqlite_where=RESERVED, postgresql_where=RESERVED),
        Index("ix_usage_reserved_title", "title", sqlite_where=RESERVED, postgresql_where=RESERVED),
        Index(
            "ix_usage_overnight_entity",
            *("entity", "filled_at"),
            sqlite_where=OVERNIGHT["sqlite"],
            postgresql_where=OVERNIGHT["postgresql"],
        ),
        Index(
            "ix_usage_overnight_title",
            *("title", "filled_at"),
            sqlite_where=OVERNIGHT["sqlite"],
            postgresql_where=OVERNIGHT["postgresql"],
        ),
    )


class JointReaderRow(Base):
    """One of several readers who asked together: the copy counts for each."""

    __tablename__ = "usage_joint_readers"
    claim: Mapped[str] = mapped_column(ForeignKey("usage_records.claim", ondelete="CASCADE"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(64), primary_key=True)
    __table_args__ = (Index("ix_usage_joint_readers_reader", "reader"),)


class UsageChangeRow(Base):
    """How a usage record stood from one change to the next. Append only, so that an old decision finds the history it saw.

    ``before`` is what makes the facts before the change of those behind it (``storage/undoing.py``), null where they are the same.
    The newest facts are the record's.
    """

    __tablename__ = "usage_journal"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    claim: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    under: Mapped[list[str]] = mapped_column(Json)
    before: Mapped[dict[str, Any] | None] = mapped_column(PackedJson)
    filled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    at: Mapped[datetime] = mapped_column(UtcTime)
    __table_args__ = (Index("ix_usage_journal_claim", "claim", "id"),)


class LedgerRow(Base):
    """One entry: reserve, settle, release or refund of one slot. Append only; UNIQUE makes a repeat harmless."""

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    claim: Mapped[str] = mapped_column(String(32))
    agreement: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(128))
    scope: Mapped[str] = mapped_column(KeyText)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String(64), default="system")
    reason: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        UniqueConstraint("claim", "rule", "kind", name="uq_ledger_claim_rule_kind"),
        Index("ix_ledger_rule_scope", "rule", "scope", "kind"),
    )


class TitleRow(Base):
    """The linking ISSN of an ISSN, so that the print and the electronic edition count as one title. ``origin`` is issnl or pair."""

    __tablename__ = "issn_links"
    issn: Mapped[str] = mapped_column(String(8), primary_key=True)
    linking: Mapped[str] = mapped_column(String(8), index=True)
    origin: Mapped[str] = mapped_column(String(8))


class LockRow(Base):
    """One row per (rule, scope): whoever decides about it holds it."""

    __tablename__ = "quota_locks"
    scope: Mapped[str] = mapped_column(KeyText(was=600), primary_key=True)
