"""The tree over the audit log in SQL: tiles, checkpoints, cosignatures, places outside, and what we witness for others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import LargeBinary, cast, func, literal, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from delivery.log_places import NO_TIME, CosignedCheckpoint, HeadRow, KeptCheckpoint, LogEnds, LogHead, PlaceState, Tile
from drm.audit.checkpoints import Checkpoint
from drm.audit.kept import Row, leaves_of
from drm.audit.tiles import hashes_of
from drm.audit.tree import folded
from storage.log_rows import rows_of
from storage.models import (
    CheckpointRow,
    CosignatureRow,
    EventRow,
    LogHeadRow,
    PlaceRow,
    TileRow,
    WitnessedRow,
)

BATCH = 4_096
AT_AS_BYTES = cast(CheckpointRow.at, LargeBinary)


class SqlLogTree:
    """Everything about the tree in one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def _add(self, row: type, values: Sequence[dict[str, Any]]) -> None:
        """Insert what is not there yet: two processes may build the same tile, and both are right."""
        insert = postgresql.insert if self.session.get_bind().dialect.name == "postgresql" else sqlite.insert
        for at in range(0, len(values), 64):
            self.session.execute(insert(row).values(list(values[at : at + 64])).on_conflict_do_nothing())

    def head(self) -> LogHead:
        """How many events there are, and the root that the edge in the head row gives; None where it is not up to date."""
        row = self.session.execute(
            select(LogHeadRow.size, LogHeadRow.hashed, LogHeadRow.frontier).where(LogHeadRow.id == 1)
        ).one_or_none()
        if row is None:
            return LogHead(0, None)
        return LogHead(row.size, folded(hashes_of(row.frontier)) if row.hashed == row.size else None)

    def ends(self) -> LogEnds:
        """Where events and head rows end. One statement, so that no event comes between the two."""
        one = select(literal(1).label("one")).subquery()
        first, last = (select(of(EventRow.seq)).scalar_subquery() for of in (func.min, func.max))
        head = (LogHeadRow.id, LogHeadRow.size, LogHeadRow.chain, LogHeadRow.frontier, LogHeadRow.hashed)
        rows = self.session.execute(select(first, last, *head).select_from(one).outerjoin(LogHeadRow, true())).all()
        heads = tuple(HeadRow(*row[2:]) for row in rows if row[2] is not None)
        return LogEnds(rows[0][0], max(rows[0][1] or 0, 0), heads)

    def batches(self, after: int, until: int) -> Iterator[list[Row]]:
        """Rows in sequence, as written, in pieces."""
        while after < until:
            found = rows_of(self.session, after, until, BATCH)
            if not found:
                return
            yield found
            after = found[-1][0]

    def chain_at(self, seq: int) -> bytes | None:
        """The chain value after an event; None where the event is missing."""
        return self.session.scalar(select(EventRow.chain).where(EventRow.seq == seq))

    def leaves(self, first: int, count: int) -> list[bytes]:
        """Entries by index, which begins with 0."""
        return leaves_of(rows_of(self.session, first, first + count, count))

    def tile(self, level: int, number: int) -> bytes | None:
        """A full tile, where it is made."""
        return self.session.scalar(select(TileRow.hashes).where(TileRow.level == level, TileRow.number == number))

    def tiles(self, level: int, first: int, count: int) -> list[Tile]:
        """Those full tiles that are there, by number."""
        wanted = select(TileRow.level, TileRow.number, TileRow.hashes, TileRow.root).where(
            TileRow.level == level, TileRow.number >= first, TileRow.number < first + count
        )
        return [Tile(*row) for row in self.session.execute(wanted.order_by(TileRow.number))]

    def tile_names(self) -> Iterator[tuple[object, object]]:
        """Level and number of every tile there is, in their sequence: whatever somebody has put there."""
        wanted = select(TileRow.level, TileRow.number).order_by(TileRow.level, TileRow.number)
        for row in self.session.execute(wanted.execution_options(yield_per=10_000)):
            yield row.level, row.number

    def roots(self, level: int, first: int, count: int) -> list[bytes]:
        """What stands for full tiles one level up, from the first on without a gap."""
        wanted = select(TileRow.number, TileRow.root).where(
            TileRow.level == level, TileRow.number >= first, TileRow.number < first + count
        )
        rows = self.session.execute(wanted.order_by(TileRow.number)).all()
        return [row.root for place, row in enumerate(rows, first) if row.number == place]

    def tile_count(self) -> int:
        """How many full tiles of level 0 are made."""
        newest = self.session.scalar(select(func.max(TileRow.number)).where(TileRow.level == 0))
        return 0 if newest is None else newest + 1

    def add_tiles(self, tiles: Sequence[Tile]) -> None:
        """Keep tiles; those that are there stay as they are."""
        self._add(
            TileRow,
            [{"level": one.level, "number": one.number, "hashes": one.hashes, "root": one.root} for one in tiles],
        )

    def last_checkpoint(self) -> KeptCheckpoint | None:
        """The newest checkpoint."""
        found = self.session.execute(self._signed().order_by(CheckpointRow.size.desc()).limit(1)).one_or_none()
        return _kept(found) if found is not None else None

    def checkpoint_over(self, size: int) -> KeptCheckpoint | None:
        """The oldest checkpoint of at least this size."""
        wanted = self._signed().where(CheckpointRow.size >= size).order_by(CheckpointRow.size).limit(1)
        found = self.session.execute(wanted).one_or_none()
        return _kept(found) if found is not None else None

    def checkpoints(self, after: int, until: int) -> Iterator[KeptCheckpoint]:
        """Checkpoints of sizes in a half-open range, ascending."""
        wanted = self._signed().where(CheckpointRow.size > after, CheckpointRow.size <= until)
        for row in self.session.execute(wanted.order_by(CheckpointRow.size).execution_options(yield_per=1_000)):
            yield _kept(row)

    def _signed(self) -> Any:
        """Checkpoints as they stand there: on SQLite a time may be anything, and the check of the log must say so."""
        at = CheckpointRow.at if self.session.get_bind().dialect.name == "postgresql" else AT_AS_BYTES
        return select(CheckpointRow.size, at.label("at"), CheckpointRow.note)

    def add_checkpoint(self, kept: KeptCheckpoint) -> None:
        """Keep a signed checkpoint; one of this size that is there stays."""
        self._add(CheckpointRow, [{"size": kept.size, "at": kept.at, "note": kept.note}])

    def cosignatures(self, size: int) -> tuple[str, ...]:
        """The witnesses' lines under a checkpoint."""
        wanted = select(CosignatureRow.line).where(CosignatureRow.size == size).order_by(CosignatureRow.place)
        return tuple(self.session.scalars(wanted))

    def cosigned_checkpoints(self) -> Iterator[CosignedCheckpoint]:
        """Every line of a witness with the checkpoint that it was given for, ascending by size."""
        wanted = select(CosignatureRow.size, CosignatureRow.place, CosignatureRow.line, CheckpointRow.note).outerjoin(
            CheckpointRow, CheckpointRow.size == CosignatureRow.size
        )
        ordered = wanted.order_by(CosignatureRow.size, CosignatureRow.place)
        for row in self.session.execute(ordered.execution_options(yield_per=1_000)):
            yield CosignedCheckpoint(row.size, row.place, row.line, row.note)

    def cosigned_over(self, size: int) -> int | None:
        """The smallest checkpoint of at least this size that a witness signed."""
        return self.session.scalar(select(func.min(CosignatureRow.size)).where(CosignatureRow.size >= size))

    def add_cosignature(self, size: int, place: str, line: str, at: datetime) -> None:
        """Keep a witness's line."""
        self._add(CosignatureRow, [{"size": size, "place": place, "line": line, "at": at}])

    def places(self) -> dict[str, PlaceState]:
        """How far each place outside has seen the log."""
        rows = self.session.scalars(select(PlaceRow)).all()
        return {row.place: PlaceState(row.place, row.size, row.tried_at, row.trouble) for row in rows}

    def save_place(self, state: PlaceState) -> None:
        """Remember how far a place has seen the log."""
        self.session.merge(
            PlaceRow(place=state.place, size=state.size, tried_at=state.tried_at, trouble=state.trouble[:200])
        )

    def witnessed(self, origin: str) -> Checkpoint | None:
        """What we last cosigned of another's log."""
        row = self.session.get(WitnessedRow, origin)
        return Checkpoint(row.origin, row.size, row.root) if row is not None else None

    def witness(self, before: Checkpoint | None, new: Checkpoint, note: bytes, at: datetime) -> bool:
        """Replace what we saw, unless somebody else was faster; whether it was done."""
        values = {"size": new.size, "root": new.root, "note": note, "at": at}
        if before is None:
            insert = postgresql.insert if self.session.get_bind().dialect.name == "postgresql" else sqlite.insert
            done = self.session.execute(
                insert(WitnessedRow).values(origin=new.origin, **values).on_conflict_do_nothing()
            )
        else:
            done = self.session.execute(
                update(WitnessedRow)
                .where(
                    WitnessedRow.origin == new.origin,
                    WitnessedRow.size == before.size,
                    WitnessedRow.root == before.root,
                )
                .values(**values)
            )
        return bool(done.rowcount == 1)  # type: ignore[attr-defined]  # what writing gives has it


def _kept(row: Any) -> KeptCheckpoint:
    return KeptCheckpoint(row.size, row.at if isinstance(row.at, datetime) else _time(row.at), row.note)


def _time(written: bytes) -> datetime:
    """The instant that stands in a row of SQLite; ``NO_TIME`` where none does."""
    try:
        return datetime.fromisoformat(written.decode("ascii")).replace(tzinfo=UTC)
    except ValueError:
        return NO_TIME
