"""Where the audit log ends, and how events are put behind it: by one statement where nobody else wrote meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnClause, column, insert, literal, select, table, true, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from drm.audit.chain import START, Head
from drm.audit.tiles import hashes_of
from drm.audit.tree import entry_hash, grown
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
    here = (
        select(LogHeadRow.id)
        .where(LogHeadRow.id == 1, LogHeadRow.size == edge.size, LogHeadRow.chain == edge.chain)
        .with_for_update()
        .cte("here")
    )
    # The head is changed with the last event only. A row that one statement locks and changes twice would be skipped by PostgreSQL.
    edges = [b""] * (len(rows) - 1) + [frontier]
    events = union_all(
        *(
            select(*(literal(value, TYPES[name]).label(name) for name, value in {**row, "frontier": one}.items()))
            for row, one in zip(rows, edges, strict=True)
        )
    ).subquery("events")
    wanted = select(*(events.c[name] for name in TYPES)).join_from(events, here, true()).order_by(events.c.seq)
    statement = insert(APPEND).from_select(list(TYPES), wanted).returning(APPEND.c.seq)
    return len(session.execute(statement).all()) == len(rows)


def locked_edge(session: Session) -> Edge:
    """The end of the log as it is now, ours until the transaction ends. The head row is made where there is none."""
    wanted = select(LogHeadRow.size, LogHeadRow.chain, LogHeadRow.frontier, LogHeadRow.hashed).where(LogHeadRow.id == 1)
    head = session.execute(wanted.with_for_update()).one_or_none()
    if head is None:
        own = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(own(LogHeadRow).values(id=1, size=0, chain=START).on_conflict_do_nothing())
        head = session.execute(wanted.with_for_update()).one()
    frontier = tuple(hashes_of(head.frontier))
    if head.hashed < head.size:  # an older release, which knows no tree, wrote the last ones
        since = select(EventRow.leaf).where(EventRow.seq > head.hashed).order_by(EventRow.seq)
        for size, leaf in enumerate(session.scalars(since), head.hashed):
            frontier = grown(frontier, size, entry_hash(leaf))
    return Edge(head.size, head.chain, frontier)
