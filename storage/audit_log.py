"""The append-only audit log in SQL, and the file that holds its head."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from delivery.stores import MOST_COUNTED, LogEntry, LogFilter, LogPage
from drm.audit.chain import START, Head, LogRow, next_chain
from drm.audit.events import Event, leaf_bytes, leaf_hash
from drm.audit.tiles import hashes_of
from drm.audit.tree import entry_hash, grown
from storage.models import EventRow, LogHeadRow, ReaderLinkRow, RequestRow

BATCH = 1_000


class AuditLog:
    """Appends events under the head row's lock and keeps the head in a file beside the database."""

    def __init__(self, key: bytes, head_file: Path | None) -> None:
        self._key = key
        self._head_file = head_file
        self._lock = threading.Lock()

    @property
    def key(self) -> bytes:
        """The audit key, for verifying."""
        return self._key

    def append(self, session: Session, events: Sequence[Event]) -> Head:
        """Number the events and write them. The head row is locked last, so that it is held only for a moment."""
        head = self._locked_head(session)
        frontier, size = self._frontier(session, head), head.size
        for event in events:
            seq = size + 1
            leaf = leaf_bytes(seq, event)
            digest = leaf_hash(leaf)
            chain = next_chain(self._key, head.chain, seq, digest)
            session.add(
                EventRow(
                    seq=seq,
                    leaf=leaf,
                    hash=digest,
                    chain=chain,
                    at=event.at,
                    kind=event.kind,
                    actor=event.actor,
                    library_id=event.library,
                    request=event.request,
                    delivery=event.delivery,
                    agreements=_names(event),
                )
            )
            frontier, size = grown(frontier, size, entry_hash(leaf)), seq
            head.size, head.chain = size, chain
        head.frontier, head.hashed = b"".join(frontier), size
        session.flush()
        return Head(head.size, head.chain)

    def _locked_head(self, session: Session) -> LogHeadRow:
        """The head row as it is now, ours until the transaction ends. Made where there is none."""
        wanted = (
            select(LogHeadRow).where(LogHeadRow.id == 1).with_for_update().execution_options(populate_existing=True)
        )
        head = session.execute(wanted).scalar_one_or_none()
        if head is None:
            insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
            session.execute(insert(LogHeadRow).values(id=1, size=0, chain=START).on_conflict_do_nothing())
            head = session.execute(wanted).scalar_one()
        return head

    def _frontier(self, session: Session, head: LogHeadRow) -> tuple[bytes, ...]:
        """The tree's edge over all events: what stands in the head, and what an older release wrote since."""
        frontier = tuple(hashes_of(head.frontier))
        if head.hashed < head.size:
            since = select(EventRow.leaf).where(EventRow.seq > head.hashed).order_by(EventRow.seq)
            for size, leaf in enumerate(session.scalars(since), head.hashed):
                frontier = grown(frontier, size, entry_hash(leaf))
        return frontier

    def keep_head(self, head: Head) -> None:
        """Write the head beside the database, whole or not at all; an older head never replaces a newer one."""
        if self._head_file is None:
            return
        with self._lock:
            try:
                known = self.kept_head()
            except (OSError, ValueError, KeyError):
                # A damaged head is for a person to look at and is never written over. The events are durable already.
                return
            if known is not None and known.size >= head.size:
                return
            part = self._head_file.with_name(f"{self._head_file.name}.{os.getpid()}.part")
            try:
                with part.open("w", encoding="ascii") as file:
                    json.dump({"size": head.size, "chain": head.chain.hex()}, file)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self._head_file)
            except OSError:
                # The events are durable already and the caller must not hear of a failure. The next commit
                # writes a newer head; the operator's doctor tells when the file stays behind.
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def kept_head(self) -> Head | None:
        """The head in the file; None when there is none. ValueError when the file is damaged."""
        if self._head_file is None or not self._head_file.exists():
            return None
        content = json.loads(self._head_file.read_text(encoding="ascii"))
        return Head(int(content["size"]), bytes.fromhex(content["chain"]))


def _names(event: Event) -> str:
    return " ".join(f"{name}@{version}" for name, version in event.agreements)


class SqlUsageLog:
    """Reading the log."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def rows(self, after: int = 0) -> Iterator[LogRow]:
        """All rows in sequence, as written."""
        while True:
            batch = self.session.execute(
                select(EventRow.seq, EventRow.leaf, EventRow.hash, EventRow.chain)
                .where(EventRow.seq > after)
                .order_by(EventRow.seq)
                .limit(BATCH)
            ).all()
            for row in batch:
                yield LogRow(row.seq, bytes(row.leaf), bytes(row.hash), bytes(row.chain))
            if len(batch) < BATCH:
                return
            after = batch[-1].seq

    def size(self) -> int:
        """How many events there are."""
        return self.session.scalar(select(func.max(EventRow.seq))) or 0

    def find(self, wanted: LogFilter) -> LogPage:
        """Events that fit the filter, newest first."""
        statement = _filtered(wanted)
        few = statement.with_only_columns(EventRow.seq).limit(MOST_COUNTED).subquery()
        total = self.session.scalar(select(func.count()).select_from(few)) or 0
        rows = self.session.execute(statement.order_by(EventRow.seq.desc()).limit(wanted.limit).offset(wanted.offset))
        return LogPage(tuple(_entry(event, title, reader) for event, title, reader in rows), total)


def _filtered(wanted: LogFilter) -> Any:
    conditions: list[ColumnElement[bool]] = []
    if wanted.agreement:
        if wanted.version is not None:
            conditions.append(
                (" " + EventRow.agreements + " ").contains(f" {wanted.agreement}@{wanted.version} ", autoescape=True)
            )
        else:
            conditions.append((" " + EventRow.agreements).contains(f" {wanted.agreement}@", autoescape=True))
    if wanted.title:
        conditions.append(
            or_(
                RequestRow.title.icontains(wanted.title, autoescape=True),
                RequestRow.citation["container"].as_string().icontains(wanted.title, autoescape=True),
            )
        )
    for column, value in (
        (EventRow.library_id, wanted.library_id),
        (EventRow.kind, wanted.kind),
        (EventRow.request, wanted.request),
    ):
        if value:
            conditions.append(column == value)
    if wanted.reader_key:
        conditions.append(or_(EventRow.actor == wanted.reader_key, ReaderLinkRow.reader_key == wanted.reader_key))
    if wanted.since is not None:
        conditions.append(EventRow.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(EventRow.at < wanted.until)
    if wanted.before is not None:
        conditions.append(EventRow.seq < wanted.before)
    return (
        select(EventRow, RequestRow.title, ReaderLinkRow.reader_key)
        .outerjoin(RequestRow, RequestRow.number == EventRow.request)
        .outerjoin(ReaderLinkRow, ReaderLinkRow.request == EventRow.request)
        .where(*conditions)
    )


def _content(leaf: bytes) -> dict[str, Any]:
    """What a leaf says; nothing for one that was tampered with, which the check of the log names."""
    try:
        content = json.loads(leaf)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _entry(event: EventRow, title: str | None, reader_key: str | None) -> LogEntry:
    content = _content(event.leaf)
    return LogEntry(
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        actor=event.actor,
        library_id=event.library_id,
        request=event.request,
        delivery=event.delivery,
        agreements=event.agreements,
        code=str(content.get("code", "")),
        title=title or "",
        reader_key=reader_key or "",
        hash=bytes(event.hash),
    )
