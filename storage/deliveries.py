"""Copies, windows and networks in SQL."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from delivery.copies import Behind, CopyState, Delivery, Window
from delivery.errors import NotFound
from storage.models import DeliveryRow, ReaderLinkRow, TailRow, WindowNetworkRow, WindowRow
from storage.models.deliveries import TO_REMOVE
from storage.repeated import blob_of_master

APART = frozenset({"state", "agreements", "stamp", "terms", "reader_id", "reader_key"})
PLAIN = tuple(field.name for field in fields(Delivery) if field.name not in APART)
# Counters are changed only by the conditional updates below, never by a saved value.
COUNTERS = frozenset({"opens_used", "machine_hits"})


SEEN = (*PLAIN, "state", "agreements", "stamp", "terms", "reader_id", "reader_key")
_copies, _windows, _links, _tails = (row.__table__.c for row in (DeliveryRow, WindowRow, ReaderLinkRow, TailRow))
BEHIND = (
    select(
        *(_copies[name] for name in (*PLAIN, "state", "agreements", "stamp", "terms")),
        *(_links.reader_id, _links.reader_key),
        *(_windows.opened_at, _windows.ends_at, _tails.data),
        exists().where(
            WindowNetworkRow.__table__.c.secret_hash == _windows.secret_hash,
            WindowNetworkRow.__table__.c.network == bindparam("asking"),
        ),
    )
    .select_from(WindowRow.__table__)
    .join(DeliveryRow.__table__, _copies.number == _windows.delivery)
    .outerjoin(ReaderLinkRow.__table__, _links.request == _copies.request)
    .outerjoin(TailRow.__table__, _tails.delivery == _copies.number)
    .where(_windows.secret_hash == bindparam("secret"))
)


class SqlDeliveries:
    """Copies and what opened them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, delivery: Delivery, claim: str, tail: bytes = b"") -> None:
        """Keep a new copy and its tail, if it has one; one per claim (UNIQUE)."""
        row = DeliveryRow(claim=claim, opens_used=0, machine_hits=0)
        _fill(row, delivery)
        self.session.add(row)
        self.session.flush()
        if tail:
            self.session.add(TailRow(delivery=delivery.number, data=tail))
            self.session.flush()

    def tail(self, number: str) -> bytes:
        """The tail of a copy; nothing where its blob is the whole of it, or where it is gone."""
        row = self.session.get(TailRow, number)
        return b"" if row is None else row.data

    def put_tail(self, number: str, tail: bytes) -> None:
        """Keep this tail in the place of the one there was; forget that where the new one is empty."""
        self.session.execute(delete(TailRow).where(TailRow.delivery == number))
        if tail:
            self.session.add(TailRow(delivery=number, data=tail))
            self.session.flush()

    def made_from(self, source_sha256: str) -> int:
        """How many copies were made from a source so far."""
        wanted = select(func.count()).where(DeliveryRow.source_sha256 == source_sha256)
        return self.session.execute(wanted).scalar_one()

    def of_master(self, master: str) -> tuple[str, ...]:
        """The numbers of the live copies of a master, oldest first."""
        wanted = select(DeliveryRow.number).where(
            DeliveryRow.master == master,
            DeliveryRow.state == CopyState.LIVE.value,
            DeliveryRow.blob_removed_at.is_(None),
        )
        return tuple(self.session.scalars(wanted.order_by(DeliveryRow.issued_at, DeliveryRow.number)))

    def get(self, number: str) -> Delivery:
        """One copy, else NotFound."""
        row = self.session.get(DeliveryRow, number)
        if row is None:
            raise NotFound("unknown-delivery", "There is no such delivery.")
        return as_delivery(row)

    def lock(self, number: str) -> Delivery:
        """One copy, held until the transaction ends; read afresh. On SQLite the transaction itself is the lock."""
        # Windows and tails that name the copy are no change of it, and need not wait.
        held = select(DeliveryRow).where(DeliveryRow.number == number).with_for_update(of=DeliveryRow, key_share=True)
        row = self.session.scalars(held.execution_options(populate_existing=True)).one_or_none()
        if row is None:
            raise NotFound("unknown-delivery", "There is no such delivery.")
        return as_delivery(row)

    def save(self, delivery: Delivery) -> None:
        """Keep what changed, but for the counters. What others changed since the value was read is lost: hold it before (``lock``)."""
        row = self.session.get(DeliveryRow, delivery.number)
        if row is None:
            raise NotFound("unknown-delivery", "There is no such delivery.")
        _fill(row, delivery)
        self.session.flush()

    def of_request(self, request: str) -> tuple[Delivery, ...]:
        """All copies made for a request, newest first."""
        rows = self.session.scalars(
            select(DeliveryRow).where(DeliveryRow.request == request).order_by(DeliveryRow.issued_at.desc())
        )
        return tuple(as_delivery(row) for row in rows)

    def open_window(self, number: str, window: Window, now: datetime) -> bool:
        """Count one open and keep its window; False when the copy may not be opened any more.

        One conditional UPDATE decides: of many at the last open exactly one wins. The same window again is not counted twice.
        """
        if self.session.get(WindowRow, window.secret_hash) is not None:
            return True
        counted = self.session.execute(
            update(DeliveryRow)
            .where(
                DeliveryRow.number == number,
                DeliveryRow.state == CopyState.LIVE.value,
                or_(DeliveryRow.expires_at.is_(None), DeliveryRow.expires_at > now),
                or_(DeliveryRow.opens_limit.is_(None), DeliveryRow.opens_used < DeliveryRow.opens_limit),
            )
            .values(opens_used=DeliveryRow.opens_used + 1)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(counted, CursorResult)
        if counted.rowcount != 1:
            # Where the same press came twice at once, the other one may just have taken the last open, for both.
            return self.session.get(WindowRow, window.secret_hash) is not None
        self.session.add(
            WindowRow(
                secret_hash=window.secret_hash,
                delivery=window.delivery,
                opened_at=window.opened_at,
                ends_at=window.ends_at,
                served=False,
            )
        )
        self.session.flush()
        return True

    def window(self, secret_hash: str) -> Window | None:
        """A window by the hash of its secret."""
        row = self.session.get(WindowRow, secret_hash)
        return None if row is None else Window(row.secret_hash, row.delivery, row.opened_at, row.ends_at)

    def behind(self, secret_hash: str, network: str) -> Behind | None:
        """What a window leads to, and whether it served this network before: one statement, for every range asks it."""
        # straight to the connection: what a session does for objects takes as long as the rest together
        row = self.session.connection().execute(BEHIND, {"secret": secret_hash, "asking": network}).one_or_none()
        if row is None:
            return None
        *seen, opened_at, ends_at, tail, known = row
        kept = dict(zip(SEEN, seen, strict=True))
        kept["state"] = CopyState(kept["state"])
        kept["agreements"] = _pairs(kept["agreements"])
        kept["blob"] = kept["blob"] or blob_of_master(kept["master"])
        kept["reader_key"] = kept["reader_key"] or ""
        delivery = Delivery(**kept)
        return Behind(Window(secret_hash, delivery.number, opened_at, ends_at), delivery, tail or b"", known)

    def admit_network(self, secret_hash: str, network: str, limit: int) -> bool:
        """Whether the window serves this network: it is known, or one of ``limit`` places is free and now taken."""
        insert = postgresql.insert if self.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        for place in range(limit):
            known = self.session.scalars(
                select(WindowNetworkRow.network).where(WindowNetworkRow.secret_hash == secret_hash)
            )
            if network in set(known):
                return True
            # (secret, place) is the key: two networks at the last place meet here, and one of them wins.
            statement = insert(WindowNetworkRow).values(secret_hash=secret_hash, place=place, network=network)
            taken = statement.on_conflict_do_nothing().returning(WindowNetworkRow.place)
            if self.session.scalar(taken) is not None:
                return True
        known = self.session.scalars(
            select(WindowNetworkRow.network).where(WindowNetworkRow.secret_hash == secret_hash)
        )
        return network in set(known)

    def mark_served(self, secret_hash: str) -> bool:
        """Whether this is the first time that the window's file is fetched whole or in part."""
        result: Any = self.session.execute(
            update(WindowRow)
            .where(WindowRow.secret_hash == secret_hash, WindowRow.served.is_(False))
            .values(served=True)
            .execution_options(synchronize_session=False)
        )
        return bool(result.rowcount == 1)

    def count_machine_hit(self, number: str) -> int:
        """Count a visit by a scanner or preview; returns the new count. It never touches the opens."""
        self.session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.number == number)
            .values(machine_hits=DeliveryRow.machine_hits + 1)
            .execution_options(synchronize_session=False)
        )
        return self.session.execute(select(DeliveryRow.machine_hits).where(DeliveryRow.number == number)).scalar_one()

    def due_to_expire(self, now: datetime, limit: int) -> tuple[Delivery, ...]:
        """Live copies whose link has ended."""
        rows = self.session.scalars(
            select(DeliveryRow)
            .where(DeliveryRow.state == CopyState.LIVE.value, DeliveryRow.expires_at <= now)
            .order_by(DeliveryRow.expires_at)
            .limit(limit)
        )
        return tuple(as_delivery(row) for row in rows)

    def blobs_to_remove(self, before: datetime, limit: int) -> tuple[Delivery, ...]:
        """Copies that ended by an instant and whose file is still kept."""
        over = or_(DeliveryRow.ended_at.is_(None), DeliveryRow.ended_at <= before)
        rows = self.session.scalars(
            select(DeliveryRow).where(TO_REMOVE, over).order_by(DeliveryRow.issued_at).limit(limit)
        )
        return tuple(as_delivery(row) for row in rows)


def _fill(row: DeliveryRow, delivery: Delivery) -> None:
    for name in PLAIN:
        if name not in COUNTERS:
            setattr(row, name, getattr(delivery, name))
    row.blob = "" if delivery.blob == blob_of_master(delivery.master) else delivery.blob
    row.state = delivery.state.value
    row.agreements = [list(pair) for pair in delivery.agreements]
    row.stamp, row.terms = dict(delivery.stamp), dict(delivery.terms)


def _pairs(agreements: list[Any]) -> tuple[tuple[str, int], ...]:
    return tuple((str(name), int(version)) for name, version in agreements)


def as_delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        reader_id=row.link.reader_id if row.link else None,
        reader_key=row.link.reader_key if row.link else "",
        state=CopyState(row.state),
        agreements=_pairs(row.agreements),
        stamp=row.stamp,
        terms=row.terms,
        **{name: getattr(row, name) for name in PLAIN if name != "blob"},
        blob=row.blob or blob_of_master(row.master),
    )
