"""The append-only audit log in SQL, and the file that holds its head."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from delivery.lists import LogEntry, LogPage
from delivery.searching import Leg
from delivery.stores import MOST_COUNTED, LogFilter
from drm.audit.chain import Head, LogRow, next_chain
from drm.audit.events import Event, leaf_bytes, leaf_hash
from drm.audit.kept import bytes_of, leaves_of, row_of
from drm.audit.tree import entry_hash, grown
from storage.log_appending import Edge, append_behind, locked_edge
from storage.log_legs import BySequence, goes_by_legs, leg_walk
from storage.log_rows import COLUMNS, leaf_of, rows_of
from storage.log_walks import count_of_days, log_walks, span_of
from storage.models import EventRow, ReaderLinkRow, RequestRow
from storage.search_legs import found_on
from storage.walks import count_of, page_of

BATCH = 1_000
PIECE = 100
"""So many events go with one statement: no database takes any number of them."""


class AuditLog:
    """Appends events under the head row's lock and keeps the head in a file beside the database."""

    def __init__(self, key: bytes, head_file: Path | None) -> None:
        self._key = key
        self._head_file = head_file
        self._lock = threading.Lock()
        self._newest: Edge | None = None
        self._durable: Head | None = None

    @property
    def key(self) -> bytes:
        """The audit key, for verifying."""
        return self._key

    def append(self, session: Session, events: Sequence[Event]) -> Edge:
        """Number the events and write them. The head row is locked last, so that it is held only for a moment.

        Where the log still ends where this process left it, that is one statement. The database decides whether it does:
        what is remembered here only saves the question.
        """
        known = self._newest
        end = None if known is None else self._written(session, known, events[:PIECE])
        if end is None:
            end = self._written(session, locked_edge(session), events[:PIECE])
        for first in range(PIECE, len(events), PIECE):
            end = end and self._written(session, end, events[first : first + PIECE])
        if end is None:
            raise RuntimeError("the end of the log moved while it was locked")
        return end

    def _written(self, session: Session, edge: Edge, events: Sequence[Event]) -> Edge | None:
        """The log's end after these events; None, and nothing is written, where it does not end at ``edge``."""
        rows, head, frontier = [], Head(edge.size, edge.chain), edge.frontier
        for event in events:
            seq = head.size + 1
            leaf = leaf_bytes(seq, event)
            frontier = grown(frontier, head.size, entry_hash(leaf))
            head = Head(seq, next_chain(self._key, head.chain, seq, leaf_hash(leaf)))
            row = row_of(seq, leaf, head.chain, event)
            rows.append({**dict(zip(COLUMNS, row, strict=True)), "at": event.at})
        if not append_behind(session, edge, rows, b"".join(frontier)):
            return None
        return Edge(head.size, head.chain, frontier)

    def keep_head(self, head: Head) -> None:
        """Write the head beside the database, whole or not at all; an older head never replaces a newer one there.

        The next event is built on this head, where the database still agrees.
        """
        if isinstance(head, Edge):
            self._newest = head
        if self._head_file is None:
            return
        self._durable = max(head, self._durable or head, key=attrgetter("size"))
        with self._lock:
            # Who waited here writes for those behind him as well, and they find theirs kept.
            head = max(head, self._durable, key=attrgetter("size"))
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


class SqlUsageLog:
    """Reading the log."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def rows(self, after: int = 0) -> Iterator[LogRow]:
        """All rows in sequence, as written."""
        while True:
            batch = rows_of(self.session, after, None, BATCH)
            for (seq, _, chain, *_), leaf in zip(batch, leaves_of(batch), strict=True):
                yield LogRow(seq, leaf, bytes_of(chain))
            if len(batch) < BATCH:
                return
            after = batch[-1][0]

    def size(self) -> int:
        """How many events there are."""
        return self.session.scalar(select(func.max(EventRow.seq))) or 0

    def find(self, wanted: LogFilter) -> LogPage:
        """Events that fit the filter, newest first. No event is read whole but those of the page."""
        span = span_of(self.session, wanted)
        walks = log_walks(span, wanted)
        numbers = page_of(self.session, walks, (EventRow.seq.desc(),), wanted.limit, wanted.offset)
        known = count_of_days(self.session, wanted, span)
        total = count_of(self.session, walks) if known is None else min(known, MOST_COUNTED)
        return LogPage(self._these(numbers), total)

    def search(self, wanted: LogFilter, leg: Leg = Leg()) -> LogPage:
        """The same a page at a time for whoever waits for it. What may be rare goes along its leg, looks at no more events than that
        may, and says how far it came."""
        if not goes_by_legs(wanted):
            return self.find(wanted)
        walk, stop = leg_walk(self.session, wanted, leg)
        numbers, reach = found_on(self.session, [walk], BySequence(self.session), leg, stop, wanted.limit)
        return LogPage(self._these(numbers), len(numbers), reach)

    def _these(self, numbers: Sequence[int]) -> tuple[LogEntry, ...]:
        """The events of these numbers, in their sequence."""
        if not numbers:
            return ()
        shown = (
            select(EventRow, RequestRow.title, ReaderLinkRow.reader_key)
            .outerjoin(RequestRow, RequestRow.number == EventRow.request)
            .outerjoin(ReaderLinkRow, ReaderLinkRow.request == EventRow.request)
            .where(EventRow.seq.in_(numbers))
        )
        found = {event.seq: _entry(event, title, key) for event, title, key in self.session.execute(shown)}
        return tuple(found[number] for number in numbers if number in found)


def _content(leaf: bytes) -> dict[str, Any]:
    """What a leaf says; nothing for one that was tampered with, which the check of the log names."""
    try:
        content = json.loads(leaf)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _entry(event: EventRow, title: str | None, reader_key: str | None) -> LogEntry:
    leaf = leaf_of(event)
    content = _content(leaf)
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
        hash=leaf_hash(leaf),
    )
