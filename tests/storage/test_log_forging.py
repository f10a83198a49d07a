"""Whatever is done to the log, even with every key in hand: one checkpoint that somebody else keeps shows it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from admin.log_wiring import check_log
from delivery.services.asking_places import known_from
from delivery.services.checkpointing import make_checkpoint
from delivery.services.log_checking import Known
from delivery.services.witnessing import newest_checkpoint
from drm.audit.chain import LogVerdict
from drm.audit.events import Event
from storage.audit_log import AuditLog
from storage.unit_of_work import SqlStore
from tests.storage.log_forging import ACTS, Forger
from tests.world import World, make_world

WITNESSED, SIZE = 530, 560
SEED = 20261124


@dataclass(frozen=True)
class Kept:
    """A log of 560 events with three checkpoints, and what a witness saw of it at 530."""

    world: World
    bytes_of_database: bytes
    known: Known

    @contextmanager
    def forged(self) -> Iterator[Forger]:
        """A copy of the database in memory to be changed."""
        with closing(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)) as copy:
            copy.deserialize(self.bytes_of_database)
            keys = self.world.ctx.log.keys
            signer = keys.signer(self.world.clock())
            yield Forger(copy, self.world.services.keys.audit, signer, WITNESSED, random.Random(SEED))

    def verdict(self, database: sqlite3.Connection, known: tuple[Known, ...]) -> LogVerdict:
        """What the check says of a copy, without its head file."""
        engine = create_engine("sqlite://", creator=lambda: database, poolclass=StaticPool)
        store = SqlStore(engine, AuditLog(self.world.services.keys.audit, None), self.world.store.secrets)
        return check_log(store, store.audit_log, self.world.ctx.log.keys, known)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Kept]:
    world = make_world(tmp_path_factory.mktemp("forging") / "home", collection)
    known = None
    for size in (300, WITNESSED, SIZE):
        with world.store.read() as work:
            there = work.log.size()
        with world.store.write() as work:
            for number in range(there, size):
                work.record(Event("request:looked", world.clock(), "system", "harbour", f"TR-{number}"))
        assert make_checkpoint(world.ctx, world.services.keys.audit, at_once=True) is not None
        if size == WITNESSED:
            known = known_from(world.ctx.log.keys, newest_checkpoint(world.ctx), "the witness")
    assert known is not None
    world.services.engine.dispose()
    with closing(sqlite3.connect(world.services.settings.home / "rushlight.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode=DELETE")
        yield Kept(world, database.serialize(), known)
    world.close()


@pytest.mark.parametrize(("number", "bad"), [(0, 0), (-7, -7), (SIZE + 2, SIZE + 1), (2**63 - 1, SIZE + 1)])
def test_an_event_with_a_number_that_can_be_none_is_found_whatever_processes_check(
    kept: Kept, tmp_path: Path, number: int, bad: int
) -> None:
    rest = "leaf, chain, at, kind, actor, library_id, request, delivery, agreements"
    with kept.forged() as forger:
        forger.database.execute(
            f"INSERT INTO audit_events (seq, {rest}) SELECT {number}, {rest} FROM audit_events WHERE seq = 9"
        )
        verdict = kept.verdict(forger.database, (kept.known,))
        with closing(sqlite3.connect(tmp_path / "forged.db")) as copy:
            forger.database.backup(copy)
    engine = create_engine(url := f"sqlite:///{tmp_path / 'forged.db'}")
    store = SqlStore(engine, AuditLog(kept.world.services.keys.audit, None), kept.world.store.secrets)
    two = check_log(store, store.audit_log, kept.world.ctx.log.keys, (kept.known,), 2, url)
    engine.dispose()

    assert (verdict.whole, verdict.first_bad) == (two.whole, two.first_bad) == (False, bad)


def test_the_log_as_it_is_is_whole(kept: Kept) -> None:
    with kept.forged() as forger:
        assert kept.verdict(forger.database, (kept.known,)) == LogVerdict(True, SIZE)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_every_kind_of_forgery_is_found(kept: Kept, act: object) -> None:
    assert callable(act)
    for seed in range(6):
        with kept.forged() as forger:
            forger.chance = random.Random(SEED + seed)
            act(forger)

            verdict = kept.verdict(forger.database, (kept.known,))

        assert not verdict.whole, seed
        assert verdict.first_bad is not None, seed
        assert verdict.first_bad <= WITNESSED + 1, seed


@pytest.mark.soak
def test_ten_thousand_random_forgeries_are_all_found(kept: Kept) -> None:
    chance, missed = random.Random(SEED), []
    for number in range(10_000):
        act = chance.choice(ACTS)
        with kept.forged() as forger:
            forger.chance = random.Random(SEED + number)
            act(forger)
            if kept.verdict(forger.database, (kept.known,)).whole:
                missed.append((number, act.__name__))

    assert missed == []


@pytest.mark.parametrize("seq", [1, 255, 256, 257, 300, 301, 511])
def test_the_first_bad_event_is_named_although_chain_and_edge_were_made_to_fit(kept: Kept, seq: int) -> None:
    with kept.forged() as forger:
        leaves = forger.leaves
        leaves[seq - 1] = leaves[seq - 1].replace(b"harbour", b"harbeur")
        forger.rewrite(leaves, everything=False)

        # The tiles below a checkpoint are full up to 512: they tell which event it is.
        assert kept.verdict(forger.database, ()).first_bad == seq


def test_only_the_checkpoint_kept_elsewhere_shows_what_was_done_with_every_key(kept: Kept) -> None:
    with kept.forged() as forger:
        forger.recompute_all()

        assert kept.verdict(forger.database, ()).whole
        verdict = kept.verdict(forger.database, (kept.known,))

    assert not verdict.whole
    assert "the witness" in verdict.problem


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit_head SET frontier = zeroblob(length(frontier))", "head row"),
        ("UPDATE audit_tiles SET hashes = zeroblob(8192) WHERE number = 1", "tile 1"),
        ("UPDATE audit_tiles SET root = zeroblob(32) WHERE number = 1", "root of the tile 1 of level 0"),
        ("DELETE FROM audit_tiles WHERE number = 0", "the tile 0 of level 0 is missing"),
        ("DELETE FROM audit_tiles WHERE number = 1", "the tile 1 of level 0 is missing"),
        ("INSERT INTO audit_tiles SELECT 0, 2, hashes, root FROM audit_tiles WHERE number = 1", "a tile 2 of level 0"),
        ("INSERT INTO audit_tiles SELECT 0, 7, hashes, root FROM audit_tiles WHERE number = 1", "a tile 7 of level 0"),
        ("INSERT INTO audit_tiles SELECT 1, 0, hashes, root FROM audit_tiles WHERE number = 1", "a tile 0 of level 1"),
        (
            "INSERT INTO audit_tiles SELECT -1, 0, hashes, root FROM audit_tiles WHERE number = 1",
            "a tile 0 of level -1",
        ),
        ("UPDATE audit_tiles SET number = 'x' WHERE number = 1", "a tile x of level 0"),
        ("UPDATE audit_tiles SET hashes = substr(hashes, 1, 64) WHERE number = 0", "tile 0"),
        ("UPDATE audit_checkpoints SET note = replace(note, '300', '301') WHERE size = 300", "over 300"),
        ("UPDATE audit_checkpoints SET at = '2001-01-01' WHERE size = 300", "did not hold then"),
        ("UPDATE audit_checkpoints SET at = 'garbage' WHERE size = 300", "over 300 events does not say when"),
        (
            "UPDATE audit_checkpoints SET at = CAST(x'fffe' AS TEXT) WHERE size = 560",
            "over 560 events does not say when",
        ),
        (
            "UPDATE audit_checkpoints SET note = CAST(note || x'e28094206120c3a90a' AS BLOB) WHERE size = 300",
            "over 300",
        ),
        ("UPDATE audit_events SET kind = CAST(x'fffe' AS TEXT) WHERE seq = 9", "event 9 "),
        (
            "UPDATE audit_checkpoints SET note = (SELECT note FROM audit_checkpoints WHERE size = 530) WHERE size = 300",
            "over 300",
        ),
        ("DELETE FROM audit_events WHERE seq > 540", "540"),
        ("DELETE FROM audit_events", "ends at event 0"),
        ("UPDATE audit_head SET chain = zeroblob(32)", "head row does not continue the chain after event 560"),
        ("UPDATE audit_head SET size = 559, hashed = 559", "counts 559 events"),
        ("UPDATE audit_head SET size = 'many'", "does not say how many"),
        ("UPDATE audit_head SET hashed = 561", "does not say how many"),
        ("UPDATE audit_head SET hashed = 0", "edge of the tree"),
        ("UPDATE audit_head SET hashed = 512", "edge of the tree"),
        ("UPDATE audit_head SET hashed = 256, frontier = zeroblob(32)", "edge of the tree"),
        ("UPDATE audit_head SET frontier = 'abc'", "edge of the tree"),
        ("DELETE FROM audit_head", "has none"),
        ("UPDATE audit_head SET id = 2", "numbers 2"),
        ("INSERT INTO audit_head SELECT 2, size, chain, frontier, hashed FROM audit_head", "numbers 1, 2"),
    ],
)
def test_what_belongs_to_the_log_is_checked_too(kept: Kept, statement: str, told: str) -> None:
    with kept.forged() as forger:
        forger.database.execute(statement)

        verdict = kept.verdict(forger.database, ())

    assert not verdict.whole
    assert told in verdict.problem
