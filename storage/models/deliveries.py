"""Published copies, the masters they are made of, and their download windows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.models.columns import Base, Digest, Json, PackedJson, UtcTime
from storage.models.requests import ReaderLinkRow

KEPT = text("blob_removed_at IS NULL")
TO_REMOVE = text("blob_removed_at IS NULL AND state != 'live'")
"""Copies that ended and whose file is still kept, word for word as the query for them says it."""


class DeliveryRow(Base):
    """One reader's copy. The CHECK is the net under the conditional UPDATE that counts opens.

    ``blob`` is empty where it is the master's (``storage/repeated.py``).
    """

    __tablename__ = "deliveries"
    number: Mapped[str] = mapped_column(String(24), primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.number"), index=True)
    claim: Mapped[str] = mapped_column(String(32), unique=True)
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id"))
    # Whose it is stands in ``reader_links`` alone; these two are empty since, and go when no version reads them.
    old_reader_id: Mapped[str | None] = mapped_column("reader_id", ForeignKey("people.id", ondelete="SET NULL"))
    old_reader_key: Mapped[str] = mapped_column("reader_key", String(32), default="")
    state: Mapped[str] = mapped_column(String(16))
    blob: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Digest)
    bytes: Mapped[int] = mapped_column(BigInteger)
    pages: Mapped[int]
    filename: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    opens_limit: Mapped[int | None]
    opens_used: Mapped[int] = mapped_column(default=0)
    machine_hits: Mapped[int] = mapped_column(default=0)
    same_reader_only: Mapped[bool] = mapped_column(default=False)
    open_access: Mapped[bool] = mapped_column(default=False)
    engine: Mapped[str] = mapped_column(String(16))
    source_id: Mapped[str] = mapped_column(String(64))
    source_sha256: Mapped[str] = mapped_column(Digest, index=True)
    agreements: Mapped[list[Any]] = mapped_column(Json)
    stamp: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    terms: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    message_id: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_reason: Mapped[str] = mapped_column(Text, default="")
    blob_removed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    master: Mapped[str] = mapped_column(Digest, default="", server_default="")
    base_bytes: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        CheckConstraint("opens_limit IS NULL OR opens_used <= opens_limit", name="opens"),
        Index("ix_deliveries_ending", "state", "expires_at"),
        Index("ix_deliveries_library", "library_id", "issued_at"),
        # Only those whose file is still kept, which are few: the files to remove, and the copies that need a master.
        Index("ix_deliveries_files", "issued_at", postgresql_where=TO_REMOVE, sqlite_where=TO_REMOVE),
        Index("ix_deliveries_needing", "master", postgresql_where=KEPT, sqlite_where=KEPT),
    )
    link: Mapped[ReaderLinkRow | None] = relationship(
        primaryjoin="foreign(DeliveryRow.request) == ReaderLinkRow.request", lazy="joined", viewonly=True, uselist=False
    )


class TailRow(Base):
    """What follows a master's bytes in one copy. Apart from the copies' rows, which lists read by the hundred."""

    __tablename__ = "tails"
    delivery: Mapped[str] = mapped_column(ForeignKey("deliveries.number", ondelete="CASCADE"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class MasterRow(Base):
    """A prepared document. ``record`` is what personalising needs, as JSON, with the file key wrapped; emptied with the blob."""

    __tablename__ = "masters"
    id: Mapped[str] = mapped_column(Digest, primary_key=True)
    source_sha256: Mapped[str] = mapped_column(Digest)
    encrypted: Mapped[bool]
    only_for: Mapped[str] = mapped_column(String(32), default="")
    engine_version: Mapped[int]
    key_version: Mapped[str] = mapped_column(String(64))
    blob: Mapped[str] = mapped_column(Text)
    record: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime] = mapped_column(UtcTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcTime)
    retired_reason: Mapped[str] = mapped_column(Text, default="")
    removed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    __table_args__ = (
        Index("ix_masters_source", "source_sha256", "encrypted", "only_for"),
        Index("ix_masters_kept", "removed_at", "made_at"),
    )


class WindowRow(Base):
    """One open of a delivery."""

    __tablename__ = "windows"
    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    delivery: Mapped[str] = mapped_column(ForeignKey("deliveries.number"), index=True)
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    ends_at: Mapped[datetime] = mapped_column(UtcTime)
    served: Mapped[bool] = mapped_column(default=False)


class WindowNetworkRow(Base):
    """A network that a window serves. Kept as a keyed hash: which reader came from where is nobody's business later."""

    __tablename__ = "window_networks"
    secret_hash: Mapped[str] = mapped_column(ForeignKey("windows.secret_hash", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    network: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("uq_window_networks_network", "secret_hash", "network", unique=True),)
