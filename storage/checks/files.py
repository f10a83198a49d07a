"""Which files the rows name, in the sequence in which stores list theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from delivery.blob_names import MASTERS, SOURCES
from delivery.copies import CopyState
from delivery.lifecycle import State
from delivery.violations import ExpectedFile
from storage.checks.asking import stream
from storage.models import DeliveryRow, MasterRow, RequestRow, TailRow
from storage.models.columns import Digest

DIGEST = re.compile(r"([0-9a-f]{64})\.pdf$")
NO_SIZE = cast(null(), BigInteger)
LIVE = DeliveryRow.state == CopyState.LIVE.value


def _digits(digest: Any, dialect: str) -> Any:
    """A digest in the words of the database."""
    kept = type_coerce(digest, LargeBinary)
    return func.encode(kept, "hex", type_=Text) if dialect == "postgresql" else func.lower(func.hex(kept), type_=Text)


def _blob(kind: str, digits: Any) -> Any:
    """What ``delivery.blob_names`` says, in the words of the database."""
    return literal(f"{kind}/").concat(func.substr(digits, 1, 2)).concat("/").concat(digits).concat(".pdf")


def _sources(dialect: str) -> Any:
    """What copies are made from: it must be there while one is being made."""
    needed = case((RequestRow.state == State.PREPARING.value, 1), else_=0)
    return select(
        _blob(SOURCES, _digits(RequestRow.source_sha256, dialect)).label("name"), literal("", Digest()).label("sha256"),
        NO_SIZE.label("bytes"), needed.label("needed"), RequestRow.number.label("owner"), literal("request").label("kind"),
    ).where(RequestRow.source_sha256.is_not(None))  # fmt: skip


def _masters(dialect: str) -> Any:
    """Prepared documents: one must be there while a copy of it can be opened, or new ones are made of it.

    Whatever its own row says: a live copy may be all that still knows of its file.
    """
    used = MasterRow.id.in_(select(DeliveryRow.master).where(LIVE, DeliveryRow.master != ""))
    needed = case((MasterRow.retired_at.is_(None), 1), (used, 1), else_=0)
    return select(
        MasterRow.blob.label("name"), MasterRow.id.label("sha256"), NO_SIZE.label("bytes"), needed.label("needed"),
        _digits(MasterRow.id, dialect).label("owner"), literal("master").label("kind"),
    ).where(or_(MasterRow.removed_at.is_(None), used))  # fmt: skip


def _copies() -> Any:
    """Copies that are whole files: there while they can be opened."""
    return select(
        DeliveryRow.blob.label("name"), DeliveryRow.sha256.label("sha256"), DeliveryRow.bytes.label("bytes"),
        case((LIVE, 1), else_=0).label("needed"), DeliveryRow.number.label("owner"),
        literal("delivery").label("kind"),
    ).where(DeliveryRow.base_bytes.is_(None), DeliveryRow.blob != "", or_(DeliveryRow.blob_removed_at.is_(None), LIVE))  # fmt: skip


def _parts_of_copies(dialect: str) -> Any:
    """Prepared documents that only live copies name: their rows are gone, or the copies name another file than they do."""
    own = _blob(MASTERS, _digits(DeliveryRow.master, dialect))
    other = and_(DeliveryRow.base_bytes.is_not(None), DeliveryRow.blob != "")
    return (
        select(
            case((other, DeliveryRow.blob), else_=own).label("name"), DeliveryRow.master.label("sha256"),
            NO_SIZE.label("bytes"), literal(1).label("needed"), DeliveryRow.number.label("owner"),
            literal("delivery").label("kind"),
        )
        .outerjoin(MasterRow, MasterRow.id == DeliveryRow.master)
        .where(LIVE, DeliveryRow.master != "", or_(MasterRow.id.is_(None), and_(other, DeliveryRow.blob != MasterRow.blob)))
    )  # fmt: skip


def _named(session: Session, only: Sequence[str] = ()) -> Any:
    """All rows that name files, by name: as bytes, whatever the database's language."""
    dialect = session.get_bind().dialect.name
    parts = union_all(_sources(dialect), _masters(dialect), _copies(), _parts_of_copies(dialect)).subquery()
    name = parts.c.name.collate("C") if dialect == "postgresql" else parts.c.name
    found = select(parts).order_by(name, parts.c.needed.desc())
    return found.where(parts.c.name.in_(only)) if only else found


def expected_files(session: Session, only: Sequence[str] = ()) -> Iterator[ExpectedFile]:
    """Every file that a row names, once, sorted by the bytes of its name; ``only`` asks for these alone."""
    before = ""
    for name, sha256, size, needed, owner, kind in stream(session, _named(session, only)):
        if name != before:
            told = DIGEST.search(name)
            digest = sha256 or (told.group(1) if told else "")
            yield ExpectedFile(name, digest, size, bool(needed), {kind: owner})
        before = name


def tails(session: Session) -> Iterator[tuple[str, str, str, bytes]]:
    """Number, master, digest and tail of each live copy of a prepared document."""
    found = (
        select(DeliveryRow.number, DeliveryRow.master, DeliveryRow.sha256, TailRow.data)
        .join(TailRow, TailRow.delivery == DeliveryRow.number)
        .where(LIVE, DeliveryRow.base_bytes.is_not(None))
    )
    yield from stream(session, found)
