"""Which files the rows name, in the sequence in which stores list theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, and_, case, cast, exists, literal, null, select, union_all
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.lifecycle import State
from delivery.violations import ExpectedFile
from storage.checks.asking import stream
from storage.models import DeliveryRow, MasterRow, RequestRow, TailRow

DIGEST = re.compile(r"([0-9a-f]{64})\.pdf$")
NO_SIZE = cast(null(), BigInteger)
LIVE = DeliveryRow.state == CopyState.LIVE.value


def _sources() -> Any:
    """What copies are made from: it must be there while one is being made."""
    blob = RequestRow.source_blob
    needed = case((RequestRow.state == State.PREPARING.value, 1), else_=0)
    return select(
        blob.label("name"), literal("").label("sha256"), NO_SIZE.label("bytes"), needed.label("needed"),
        RequestRow.number.label("owner"), literal("request").label("kind"),
    ).where(blob != "")  # fmt: skip


def _masters() -> Any:
    """Prepared documents: one must be there while a copy of it can be opened, or new ones are made of it."""
    used = exists().where(DeliveryRow.master == MasterRow.id, LIVE)
    needed = case((MasterRow.retired_at.is_(None), 1), (used, 1), else_=0)
    return select(
        MasterRow.blob.label("name"), MasterRow.id.label("sha256"), NO_SIZE.label("bytes"), needed.label("needed"),
        MasterRow.id.label("owner"), literal("master").label("kind"),
    ).where(MasterRow.removed_at.is_(None))  # fmt: skip


def _copies() -> Any:
    """Copies that are whole files: there while they can be opened."""
    return select(
        DeliveryRow.blob.label("name"), DeliveryRow.sha256.label("sha256"), DeliveryRow.bytes.label("bytes"),
        case((LIVE, 1), else_=0).label("needed"), DeliveryRow.number.label("owner"),
        literal("delivery").label("kind"),
    ).where(and_(DeliveryRow.base_bytes.is_(None), DeliveryRow.blob_removed_at.is_(None)))  # fmt: skip


def _named(session: Session, only: Sequence[str] = ()) -> Any:
    """All rows that name files, by name: as bytes, whatever the database's language."""
    parts = union_all(_sources(), _masters(), _copies()).subquery()
    name = parts.c.name.collate("C") if session.get_bind().dialect.name == "postgresql" else parts.c.name
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
