"""The append-only audit log and the outbox of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Bytes, Json, Serial, UtcTime


class EventRow(Base):
    """One leaf as written. The plain columns repeat what the leaf says, for searching; triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_events"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    leaf: Mapped[bytes] = mapped_column(Bytes)
    hash: Mapped[bytes] = mapped_column(Bytes(32))
    chain: Mapped[bytes] = mapped_column(Bytes(32))
    at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    library_id: Mapped[str] = mapped_column(String(64), default="")
    request: Mapped[str] = mapped_column(String(24), default="")
    delivery: Mapped[str] = mapped_column(String(24), default="")
    agreements: Mapped[str] = mapped_column(Text, default="")
    __table_args__ = (
        Index("ix_audit_events_request", "request"),
        Index("ix_audit_events_delivery", "delivery"),
        Index("ix_audit_events_kind", "kind", "at"),
        Index("ix_audit_events_library", "library_id", "at"),
    )


class LogHeadRow(Base):
    """The single row that is locked to give the next event its number."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(Serial)
    chain: Mapped[bytes] = mapped_column(Bytes(32))


class JobRow(Base):
    """Work for later. Found by state and time; owned by lease."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(128), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    run_after: Mapped[datetime] = mapped_column(UtcTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    holder: Mapped[str] = mapped_column(String(160), default="")
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    __table_args__ = (Index("ix_jobs_due", "state", "run_after"), Index("ix_jobs_lease", "state", "lease_until"))
