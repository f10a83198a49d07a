"""Fills the database of an installation with N deliveries as if it had run for years: python -m benchmarks.scale.fill --help.

The rows are those of one delivery that the product itself made (``pattern.py``), with everything that is its own made anew;
the log is numbered and chained by the product's own code, so that it verifies. What the sweeper would have taken away since is not
written: jobs that the product's own rule (``delivery/past_jobs.py``) says nobody needs. Indexes are made after the rows.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, Index, Table, func, select, update

from benchmarks.scale.pattern import KINDS, YEARS, Own, Pattern, ended, key_of, library_of, spread
from delivery.citation import fingerprints
from delivery.copies import CopyState
from delivery.lifecycle import State
from delivery.past_jobs import DONE, PastJob
from drm.audit.chain import Head, next_chain
from drm.audit.events import Event, leaf_bytes, leaf_hash
from drm.audit.kept import row_of
from drm.audit.tiles import hashes_of
from drm.audit.tree import entry_hash, grown
from storage.log_rows import COLUMNS
from storage.models import Base, DeliveryRow, EventRow, LogHeadRow, RequestRow
from tests.world import HASHED, LIMITED, World, collection_for, make_world, open_world

BATCH = 2_000
TOLD = "filled.json"
"""What a filled installation says of itself, beside its home folder."""
LIBRARIES = 180
AT_DESK, IN_APPROVAL = 400, 60
"""What waits goes by the work of a day and not by the years behind it."""
LIVE_DAYS = 30


@dataclass(frozen=True)
class Filled:
    """What was written, and how fast."""

    deliveries: int
    events: int
    seconds: float

    def line(self) -> str:
        """One line for people."""
        rate = self.deliveries / max(self.seconds, 1e-9)
        return f"{self.deliveries} deliveries, {self.events} events in {self.seconds:.0f} s: {rate:.0f} deliveries/s"


@dataclass(frozen=True)
class End:
    """Where the log ends: its size, the chain's value and the edge of its tree."""

    size: int
    chain: bytes
    frontier: tuple[bytes, ...]


class Writer:
    """Rows in bulk: COPY on PostgreSQL, executemany on SQLite."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.raw = engine.raw_connection()
        self.driver = cast("Any", self.raw.driver_connection)
        self.sqlite = engine.dialect.name == "sqlite"
        if self.sqlite:
            self.driver.execute("PRAGMA foreign_keys=OFF")
            self.driver.execute("PRAGMA synchronous=OFF")
            self.driver.execute("PRAGMA cache_size=-400000")
        else:
            self.driver.execute("SET session_replication_role = replica")

    def put(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Write these rows."""
        if not rows:
            return
        names = ", ".join(f'"{name}"' for name in columns)
        if self.sqlite:
            places = ", ".join("?" * len(columns))
            self.driver.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', rows)
            return
        with self.driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)

    def begin(self) -> None:
        """One transaction a batch."""
        if self.sqlite:
            self.driver.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Keep the batch."""
        self.driver.commit()

    def close(self) -> None:
        """Let go of the connection; its settings end with it."""
        self.raw.invalidate()


def _model(world: World) -> tuple[Own, Pattern]:
    """A delivery of the product's, and the pattern of it."""
    world.load(LIMITED.format(most=100_000, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    now, world.clock.now = world.clock(), world.clock() - YEARS  # the first events of a log are its oldest
    request = world.ask()
    world.work()
    world.clock.now = now
    request, delivery, reader = world.get(request.number), world.delivery(request.number), world.reader
    counted = world.store.secrets.find(reader.id) or ""
    title = request.citation.title
    words = {
        request.number: "request", delivery.number: "delivery", delivery.number.lower(): "message", "harbour": "library",
        reader.id: "reader", reader.reader_key: "reader_key", counted: "counted", request.citation.doi: "doi",
        title: "title", title.casefold(): "low_title", request.citation.container: "journal",
        request.citation.issn: "issn", request.citation.issn.replace("-", ""): "bare_issn",
        request.created_at.isoformat(): "instant",
    }  # fmt: skip
    own = Own(0, request.number, delivery.number, "harbour", 0, request.created_at)
    marked = (counted, *fingerprints(request.citation))
    return own, Pattern(world.services.engine, own, words, marked)


def _indexes() -> list[Index]:
    """All indexes that hold no promise, which are made anew when the rows are in."""
    return [index for table in Base.metadata.sorted_tables for index in table.indexes if not index.unique]


def _events(world: World, own: Own) -> Iterator[Event]:
    reader, under = key_of(own.reader, "key"), (("limited", 1),)
    counts = {"limited.per_month": {"limit": 100_000, "this": 1, "used": own.number % 9}}
    digest = key_of(own.number, "facts") * 2
    for kind in KINDS:
        if kind == "request:created":
            yield Event(kind, own.at, reader, own.library, own.request, code="form")
        elif kind == "copy:supplied":
            yield Event(
                kind, own.at, "system", own.library, own.request, own.delivery, under, digest=digest, code="tail"
            )
        elif kind == "mail:sent":
            yield Event(kind, own.at, "system", "", own.request, own.delivery, code="delivered")
        else:
            actor = "reader" if kind == "quota:reserved" else "system"
            yield Event(
                kind, own.at, actor, own.library, own.request, "", under, facts=digest, code="OK", counts=counts
            )


def chained(
    key: bytes, head: End, events: Iterable[Event], time_of: Callable[[datetime], Any]
) -> tuple[End, list[Any]]:
    """The rows of these events behind a head, numbered, written and chained as the product does."""
    rows, size, chain, frontier = [], head.size, head.chain, head.frontier
    for event in events:
        size += 1
        leaf = leaf_bytes(size, event)
        chain = next_chain(key, chain, size, leaf_hash(leaf))
        frontier = grown(frontier, size - 1, entry_hash(leaf))
        row = row_of(size, leaf, chain, event)
        rows.append((*row[:3], time_of(event.at), *row[4:]))
    return End(size, chain, frontier), rows


def _people(world: World, writer: Writer, pattern: Pattern, readers: int) -> None:
    """The libraries, their readers, and a lock row for each who ever asked."""
    at = pattern.time(world.clock())
    writer.begin()
    for place in range(LIBRARIES):
        row = (library_of(place), f"Library {place}", "", "", "IE", "Europe/Dublin", "en", f"desk@l{place}.example.org")
        more = ("", "", "", "[]", 0 if writer.sqlite else False)
        columns = [column.name for column in Base.metadata.tables["libraries"].columns]
        writer.put("libraries", columns, [(*row, *more)])
    columns = ["id", "library_id", "name", "email", "email_key", "language", "roles", "standing", "password", "salt",
               "reader_key", "category", "group_id", "created_at", "card"]  # fmt: skip
    for start in range(0, readers, BATCH):
        rows, locks = [], []
        for reader in range(start, min(start + BATCH, readers)):
            email = f"reader{reader}@l{reader % LIBRARIES}.example.org"
            rows.append((key_of(reader, "id"), library_of(reader % LIBRARIES), f"Reader {reader}", email, email, "en",
                         '["reader"]', "active", HASHED, key_of(reader, "salt"), key_of(reader, "key"), "", "", at, ""))  # fmt: skip
            locks.append((f"limited.per_month|reader={key_of(reader, 'counted')}",))
        writer.put("people", columns, rows)
        writer.put("quota_locks", ["scope"], locks)
    writer.commit()


def _deliveries(world: World, writer: Writer, pattern: Pattern, count: int, readers: int) -> End:
    """The deliveries in batches, oldest first, each with its events."""
    now, key = world.clock(), world.store.audit_log.key
    columns = [pattern.columns(table) for table, _ in pattern.tables]
    copies, tails, jobs = (
        next(place for place, (table, _) in enumerate(pattern.tables) if table.name == name)
        for name in ("deliveries", "tails", "jobs")
    )
    since = now - world.ctx.settings.jobs_keep
    with world.services.engine.connect() as connection:
        row = connection.execute(select(LogHeadRow.size, LogHeadRow.chain, LogHeadRow.frontier)).one()
    head = End(row.size, bytes(row.chain), tuple(hashes_of(row.frontier)))
    for start in range(0, count, BATCH):
        owns = [spread(number, count, readers, LIBRARIES, now) for number in range(start, min(start + BATCH, count))]
        found: list[list[tuple[Any, ...]]] = [[] for _ in pattern.tables]
        for own in owns:
            over = (now - own.at).days >= LIVE_DAYS
            copy = CopyState.EXPIRED if over else CopyState.LIVE
            swept = not PastJob(0, DONE, own.at, own.at, State.SUPPLIED, copy).is_needed(since)
            for at, made in pattern.rows(own):
                if (swept and at == jobs) or (over and at == tails):
                    continue
                gone = over and at == copies
                found[at].append(ended(columns[at], made, pattern.time(own.at)) if gone else made)
        head, events = chained(key, head, (event for own in owns for event in _events(world, own)), pattern.time)
        writer.begin()
        for (table, _), names, rows in zip(pattern.tables, columns, found, strict=True):
            writer.put(table.name, names, rows)
        writer.put("audit_events", COLUMNS, events)
        writer.commit()
    return head


def _finish(world: World, head: End, indexes: Sequence[Index]) -> None:
    """The log's head, what waits at the desk and for an officer, the indexes, and the figures that planners go by."""
    engine = world.services.engine
    with engine.begin() as connection:
        connection.execute(
            update(LogHeadRow).values(
                size=head.size, chain=head.chain, frontier=b"".join(head.frontier), hashed=head.size
            )
        )
        if engine.dialect.name == "postgresql":  # its triggers stood still
            day = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
            connection.exec_driver_sql("DELETE FROM audit_days")
            connection.exec_driver_sql(
                f"INSERT INTO audit_days SELECT {day}, min(seq), max(seq) FROM audit_events GROUP BY 1"  # our own words
            )
        # Who waits has no copy that can be opened.
        over = select(DeliveryRow.request).where(DeliveryRow.state != CopyState.LIVE.value)
        newest = select(RequestRow.number).where(RequestRow.number.in_(over)).order_by(RequestRow.number)
        newest = newest.limit(AT_DESK + IN_APPROVAL)
        waiting = list(connection.scalars(newest))
        desk, officer = waiting[:AT_DESK], waiting[AT_DESK:]
        connection.execute(update(RequestRow).where(RequestRow.number.in_(desk)).values(state="at_desk"))
        connection.execute(
            update(RequestRow).where(RequestRow.number.in_(officer)).values(state="new", hold="approval")
        )
    for index in indexes:
        index.create(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    world.store.audit_log.keep_head(Head(head.size, head.chain))


def fill(world: World, count: int) -> Filled:
    """Write ``count`` deliveries with their requests, records, ledger, jobs and events, and the readers behind them."""
    began, engine = time.perf_counter(), world.services.engine
    _, pattern = _model(world)
    indexes = _indexes()
    for index in indexes:
        index.drop(engine)
    writer, readers = Writer(engine), max(1, count // 4)
    try:
        _people(world, writer, pattern, readers)
        head = _deliveries(world, writer, pattern, count, readers)
    finally:
        writer.close()
    _finish(world, head, indexes)
    with engine.connect() as connection:
        events = connection.scalar(select(func.max(EventRow.seq))) or 0
    return Filled(count, events, time.perf_counter() - began)


def size_of(engine: Engine, table: Table | None = None) -> int:
    """Bytes of the database, or of one table with its indexes (PostgreSQL only; on SQLite by the pages that it uses)."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            asked = (
                "pg_database_size(current_database())" if table is None else f"pg_total_relation_size('{table.name}')"
            )
            return int(connection.exec_driver_sql(f"SELECT {asked}").scalar_one())
        if table is None:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        names = [table.name, *(str(index.name) for index in table.indexes)]
        wanted = ", ".join(f"'{name}'" for name in names)
        return int(connection.exec_driver_sql(f"SELECT sum(pgsize) FROM dbstat WHERE name IN ({wanted})").scalar_one())


def made(folder: Path, count: int, database: str = "") -> tuple[World, Filled]:
    """An installation in a folder with ``count`` deliveries."""
    world = make_world(folder / "home", collection_for(folder), database)
    filled = fill(world, count)
    (folder / TOLD).write_text(json.dumps({"deliveries": count, "database": database}), encoding="utf-8")
    return world, filled


def reopened(folder: Path) -> tuple[World, int]:
    """An installation that was filled before, brought to the newest schema, and how many deliveries it was filled with."""
    told = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    return open_world(folder / "home", told["database"]), int(told["deliveries"])


def main() -> None:
    """Fill one installation and say how fast."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.scale.fill", description=__doc__)
    wish.add_argument("folder", type=Path, help="a new folder for the installation")
    wish.add_argument("--deliveries", type=int, default=40_000)
    wish.add_argument(
        "--database", default="", help="address of an empty PostgreSQL database; else SQLite in the folder"
    )
    chosen = wish.parse_args()
    chosen.folder.mkdir(parents=True)
    world, filled = made(chosen.folder, chosen.deliveries, chosen.database)
    events = Base.metadata.tables["audit_events"]
    print(filled.line())
    total, log = size_of(world.services.engine), size_of(world.services.engine, events)
    print(
        f"{total / filled.deliveries:.0f} bytes a delivery in all, {log / filled.events:.0f} bytes an event with its indexes"
    )
    verdict = world.ctx.check_log()
    print(f"log whole: {verdict.whole}, {verdict.size} events")
    world.close()


if __name__ == "__main__":
    main()
