"""Document requests and what happened to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.models.columns import Base, Digest, PackedJson, Serial, UtcTime, widened

WAITING = text("state IN ('new', 'fetching', 'at_desk', 'preparing')")
"""What is not over, word for word as queries say it too: SQLite takes a partial index for no other spelling."""

COUNTED = text("counts_for IS NOT NULL")


class RequestRow(Base):
    """One document request.

    ``title`` and ``container`` repeat the citation's for searching, ``source_sha256`` which file was found, ``counts_for`` whom the decision names.
    """

    __tablename__ = "requests"
    number: Mapped[str] = mapped_column(String(24), primary_key=True)
    library_id: Mapped[str] = mapped_column(ForeignKey("libraries.id"))
    # Whose it is stands in ``reader_links`` alone; these two are empty since, and go when no version reads them.
    old_reader_id: Mapped[str | None] = mapped_column("reader_id", ForeignKey("people.id", ondelete="SET NULL"))
    old_reader_key: Mapped[str] = mapped_column("reader_key", String(32), default="")
    state: Mapped[str] = mapped_column(String(16))
    hold: Mapped[str] = mapped_column(String(16), default="")
    typed: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    citation: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    title: Mapped[str] = mapped_column(Text, default="")
    container: Mapped[str] = mapped_column(Text, default="", server_default="")
    purpose: Mapped[str] = mapped_column(String(32), default="")
    language: Mapped[str] = mapped_column(String(8))
    via: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    reason_text: Mapped[str] = mapped_column(Text, default="")
    source_id: Mapped[str] = mapped_column(String(64), default="")
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    repeat_of: Mapped[str] = mapped_column(String(24), default="")
    copy_no: Mapped[int] = mapped_column(default=1)
    approved: Mapped[str] = mapped_column(widened(64, was=24), default="")
    delivery: Mapped[str] = mapped_column(String(24), default="")
    found: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    source_sha256: Mapped[str | None] = mapped_column(Digest)
    decision: Mapped[dict[str, Any]] = mapped_column(PackedJson)
    counts_for: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(default=1)
    purged_at: Mapped[datetime | None] = mapped_column(UtcTime)
    __table_args__ = (
        # Lists walk these and read no request but those of their page. What waits is few, and so are the indexes on it.
        Index("ix_requests_ended", "state", changed_at.desc(), "number", "language"),
        Index("ix_requests_library_ended", "library_id", "state", changed_at.desc(), "number", "language"),
        Index("ix_requests_counts_for", "counts_for", sqlite_where=COUNTED, postgresql_where=COUNTED),
        Index("ix_requests_waiting", "state", "created_at", "number", sqlite_where=WAITING, postgresql_where=WAITING),
        Index(
            "ix_requests_library_waiting",
            *("library_id", "state", "created_at", "number"),
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
    )
    link: Mapped[ReaderLinkRow | None] = relationship(
        back_populates="of", lazy="joined", cascade="all, delete-orphan", passive_deletes=True
    )


class ReaderLinkRow(Base):
    """The way from a request and its deliveries to the reader. Taking the row away changes nothing that is counted."""

    __tablename__ = "reader_links"
    request: Mapped[str] = mapped_column(ForeignKey("requests.number", ondelete="CASCADE"), primary_key=True)
    reader_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    reader_key: Mapped[str] = mapped_column(String(32), index=True)
    of: Mapped[RequestRow] = relationship(back_populates="link", lazy="raise")


class WorkRow(Base):
    """A name of the work behind a request by its mark (``storage/repeated.py``), for recognising repeats."""

    __tablename__ = "request_works"
    request: Mapped[str] = mapped_column(ForeignKey("requests.number", ondelete="CASCADE"), primary_key=True)
    work: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    __table_args__ = (Index("ix_request_works_work", "work"), {"sqlite_with_rowid": False})


class TryRow(Base):
    """One source that was asked."""

    __tablename__ = "request_tries"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.number", ondelete="CASCADE"), index=True)
    source_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcTime)
    outcome: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(64), default="")
    detail: Mapped[str] = mapped_column(Text, default="")


class MessageRow(Base):
    """A word between library and reader, or a note among staff."""

    __tablename__ = "request_messages"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    request: Mapped[str] = mapped_column(ForeignKey("requests.number", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[str | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(Text)
