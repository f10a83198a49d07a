"""Tallies of acts, the networks of links, alarms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, Serial, UtcTime


class TallyRow(Base):
    """How often a scope acted in one stretch of time. Scopes are keyed hashes: whose they are is not to be read here."""

    __tablename__ = "tallies"
    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    seconds: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    ends: Mapped[int] = mapped_column(BigInteger, index=True)


class LinkNetworkRow(Base):
    """A network that asked for a link lately, as a keyed hash of this link. Forgotten after the time that is looked back."""

    __tablename__ = "link_networks"
    delivery: Mapped[str] = mapped_column(ForeignKey("deliveries.number", ondelete="CASCADE"), primary_key=True)
    network: Mapped[str] = mapped_column(String(64), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class AlarmRow(Base):
    """An alarm of one day."""

    __tablename__ = "alarms"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    day: Mapped[str] = mapped_column(String(10))
    library_id: Mapped[str] = mapped_column(String(64), default="")
    count: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    __table_args__ = (Index("uq_alarms_subject", "kind", "subject", "day", unique=True),)
