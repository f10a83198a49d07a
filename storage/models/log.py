"""The append-only audit log and the outbox of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Bytes, Json, Serial, UtcTime

NAMELESS = ("system", "reader")
"""Who acts in most events and is nobody's name."""
BY_NAME = text("actor NOT IN ('system', 'reader')")
"""Events of somebody who is named, word for word as queries say it too: SQLite takes a partial index for no other spelling."""


class EventRow(Base):
    """One event as written: its bytes, the leaf, are made of the columns and of what is ``kept`` beside them (``drm/audit/kept.py``).

    Triggers refuse UPDATE and DELETE. Its hash, which the chain runs over, follows from its bytes and is not kept.
    """

    __tablename__ = "audit_events"
    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    kept: Mapped[bytes] = mapped_column("leaf", Bytes)
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
        Index("ix_audit_events_kind", "kind", "seq"),
        Index("ix_audit_events_library", "library_id", "seq"),
        Index("ix_audit_events_actor", "actor", "seq", sqlite_where=BY_NAME, postgresql_where=BY_NAME),
    )


class DayRow(Base):
    """A day in UTC: the lowest number of its events, and the highest of those that came when a later day had begun.

    Triggers write it, whoever adds an event, so it is made anew and not carried along when an installation moves.
    """

    __tablename__ = "audit_days"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    first: Mapped[int] = mapped_column(Serial)
    late: Mapped[int] = mapped_column(Serial, server_default="0", default=0)
    __table_args__ = ({"info": {"derived": True}},)


class LogHeadRow(Base):
    """The single row that is locked to give the next event its number.

    ``frontier`` are the hashes at the tree's right edge over the first ``hashed`` events: fewer than ``size`` only where
    an older release, which knows no tree, wrote the last ones.
    """

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(Serial)
    chain: Mapped[bytes] = mapped_column(Bytes(32))
    frontier: Mapped[bytes] = mapped_column(Bytes(2048), server_default="", default=b"")
    hashed: Mapped[int] = mapped_column(Serial, server_default="0", default=0)


class TileRow(Base):
    """A full tile of the tree and the hash that stands for it one level up. Never changed; triggers refuse it."""

    __tablename__ = "audit_tiles"
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(Bytes(8192))
    root: Mapped[bytes] = mapped_column(Bytes(32))


class CheckpointRow(Base):
    """A signed checkpoint as it was given out. Never changed; triggers refuse it."""

    __tablename__ = "audit_checkpoints"
    size: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime)
    note: Mapped[bytes] = mapped_column(Bytes)


class CosignatureRow(Base):
    """A witness's signature line under a checkpoint. Never changed; triggers refuse it."""

    __tablename__ = "audit_cosignatures"
    size: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    place: Mapped[str] = mapped_column(String(255), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


class PlaceRow(Base):
    """How far a place outside has seen the log, when it was last tried, and what went wrong then."""

    __tablename__ = "audit_places"
    place: Mapped[str] = mapped_column(String(255), primary_key=True)
    size: Mapped[int] = mapped_column(Serial, default=0)
    tried_at: Mapped[datetime] = mapped_column(UtcTime)
    trouble: Mapped[str] = mapped_column(String(200), default="")


class WitnessedRow(Base):
    """The last checkpoint of another's log that we cosigned. Replaced only by compare and swap."""

    __tablename__ = "audit_witnessed"
    origin: Mapped[str] = mapped_column(String(255), primary_key=True)
    size: Mapped[int] = mapped_column(Serial)
    root: Mapped[bytes] = mapped_column(Bytes(32))
    note: Mapped[bytes] = mapped_column(Bytes)
    at: Mapped[datetime] = mapped_column(UtcTime)


NOT_DONE = text("state != 'done'")
LEASED = text("lease_until IS NOT NULL")


class JobRow(Base):
    """Work for later. Found by state and time; owned by lease."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(128), unique=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0, server_default="0")
    run_after: Mapped[datetime] = mapped_column(UtcTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    holder: Mapped[str] = mapped_column(String(160), default="")
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    __table_args__ = (
        # Nearly all jobs are done, and nobody looks for those.
        Index("ix_jobs_due", "state", "run_after", sqlite_where=NOT_DONE, postgresql_where=NOT_DONE),
        Index("ix_jobs_lease", "state", "lease_until", sqlite_where=LEASED, postgresql_where=LEASED),
    )


UNDONE = JobRow.state != literal_column("'done'")
"""Of jobs that are not done. Whoever looks for such says it word for word: SQLite takes a partial index for no other spelling."""
