"""Where the audit log ends, and how events are put behind it: by one statement where nobody else wrote meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnClause, bindparam, column, exists, insert, literal, select, table, true, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

from delivery.errors import Conflict
from drm.audit.chain import START, Head
from drm.audit.kept import leaves_of
from drm.audit.tiles import hashes_of
from drm.audit.tree import HASH_BYTES, entry_hash, grown
from storage.log_rows import rows_of
from storage.models import EventRow, LogHeadRow

TYPES: Mapping[str, TypeEngine[object]] = {
    **{one.name: one.type for one in EventRow.__table__.columns},
    "frontier": LogHeadRow.frontier.type,
}
COLUMNS: list[ColumnClause[object]] = [column(name, kind) for name, kind in TYPES.items()]
APPEND = table("audit_append", *COLUMNS)
"""The view that a migration makes: what is inserted there becomes an event, and the frontier moves the head along."""


@dataclass(frozen=True)
class Edge(Head):
    """The end of the log with the hashes at the tree's right edge: all that the next event is built on."""

    frontier: tuple[bytes, ...] = ()


def append_behind(session: Session, edge: Edge, rows: Sequence[Mapping[str, object]], frontier: bytes) -> bool:
    """Write these events behind ``edge`` and move the head to their end; False, and nothing is written, where the log ends elsewhere.

    The head row is locked in the same statement that looks at it, and stays so until the transaction ends.
    """
    # The head is changed with the last event only. A row that one statement locks and changes twice would be skipped by PostgreSQL.
    edges = [b""] * (len(rows) - 1) + [frontier]
    values = {
        f"{name}_{place}": value
        for place, (row, one) in enumerate(zip(rows, edges, strict=True))
        for name, value in {**row, "frontier": one}.items()
    }
    ends = {"end_size": edge.size, "end_chain": edge.chain}
    return len(session.execute(_appending(len(rows)), values | ends).all()) == len(rows)


@cache
def _appending(count: int) -> ReturningInsert[Any]:
    """The statement for so many events, which is made once: building it takes longer than running it."""
    ends = (LogHeadRow.size == bindparam("end_size"), LogHeadRow.chain == bindparam("end_chain"))
    here = select(LogHeadRow.id).where(LogHeadRow.id == 1, *ends).with_for_update().cte("here")
    events = union_all(
        *(
            select(*(bindparam(f"{name}_{place}", type_=kind).label(name) for name, kind in TYPES.items()))
            for place in range(count)
        )
    ).subquery("events")
    wanted = select(*(events.c[name] for name in TYPES)).join_from(events, here, true()).order_by(events.c.seq)
    return insert(APPEND).from_select(list(TYPES), wanted).returning(APPEND.c.seq)


def locked_edge(session: Session) -> Edge:
    """The end of the log as it is now, ours until the transaction ends. The head row is made where a log begins.

    Conflict where the head row contradicts the events: one that was built on it would break the log for ever.
    """
    # Who waited for the lock may not see the newest event yet: nothing is said against the head then.
    last = select(EventRow.chain).where(EventRow.seq == LogHeadRow.size).correlate(LogHeadRow).scalar_subquery()
    wanted = select(
        LogHeadRow.size, LogHeadRow.chain, LogHeadRow.frontier, LogHeadRow.hashed, last.label("last")
    ).where(LogHeadRow.id == 1)
    head = session.execute(wanted.with_for_update()).one_or_none()
    if head is None:
        own = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        new = select(literal(1), literal(0), literal(START, LogHeadRow.chain.type)).where(
            ~exists().where(EventRow.seq > 0)
        )
        session.execute(own(LogHeadRow).from_select(["id", "size", "chain"], new).on_conflict_do_nothing())
        head = session.execute(wanted.with_for_update()).one_or_none()
        if head is None:
            raise _broken("there are events, and no head row")
    if type(head.size) is not int or type(head.hashed) is not int or not 0 <= head.hashed <= head.size:
        raise _broken("the head row does not say how many events there are")
    if head.last not in {None, head.chain}:
        raise _broken(f"the head row does not continue the chain after event {head.size}")
    if len(head.frontier) != head.hashed.bit_count() * HASH_BYTES:
        raise _broken("the edge of the tree in the head row is not that of the events")
    frontier = tuple(hashes_of(head.frontier))
    if head.hashed < head.size:  # an older release, which knows no tree, wrote the last ones
        since = rows_of(session, head.hashed, head.size, head.size - head.hashed)
        for size, leaf in enumerate(leaves_of(since), head.hashed):
            frontier = grown(frontier, size, entry_hash(leaf))
    return Edge(head.size, head.chain, frontier)


def _broken(text: str) -> Conflict:
    return Conflict("log-broken", f"Nothing is written: {text}. Have the operator run 'rushlight audit verify'.")
