"""The log as it is kept, signed, given out and witnessed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from admin.log_keys import read_log_keys, rotate_log_key
from admin.log_wiring import check_log
from delivery.errors import Conflict, NotFound
from delivery.services.asking_places import known_from
from delivery.services.checkpointing import make_checkpoint
from delivery.services.log_checking import Known
from delivery.services.log_exporting import export_log
from delivery.services.log_tiles import prove
from delivery.services.witnessing import give_checkpoints, newest_checkpoint, seen_outside
from drm.audit.checkpoints import Checkpoint, open_checkpoint
from drm.audit.events import Event, leaf_hash
from drm.audit.proofs import check_proof, read_proof, write_proof
from storage.audit_log import SqlUsageLog
from storage.engine import open_engine
from storage.log_folder import FolderPlace
from storage.migrating import migrate
from tests.world import World, make_world

VERIFIER = Path(__file__).parents[2] / "deploy" / "verify_log.py"


def events(world: World, count: int, code: str = "") -> None:
    with world.store.write() as work:
        for _ in range(count):
            work.record(Event("request:looked", world.clock(), "system", "harbour", code=code))


def sign(world: World) -> Checkpoint | None:
    return make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)


def stopped(world: World, count: int) -> None:
    """Events that are numbered and written, in a transaction that comes to nothing."""
    with world.store.write() as work:
        for _ in range(count):
            work.record(Event("request:looked", world.clock(), "system"))
        world.store.audit_log.append(work.session, work.events)
        raise Conflict("already-there", "no")


def fail_to_commit(world: World, count: int) -> None:
    """Events in a transaction whose very commit the database refuses."""
    with world.store.write() as work:
        work.session.execute(text("PRAGMA defer_foreign_keys = ON"))
        work.session.execute(text("UPDATE people SET library_id = 'nowhere'"))
        for _ in range(count):
            work.record(Event("request:looked", world.clock(), "system"))


def due(world: World) -> Checkpoint | None:
    return make_checkpoint(world.ctx, world.services.keys.audit)


def execute(world: World, *statements: str) -> None:
    """As somebody does who has the database."""
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def verified(*arguments: object) -> tuple[int, str]:
    """What the stand-alone script says, in a process that finds no part of Rushlight."""
    command = [sys.executable, "-I", str(VERIFIER), *map(str, arguments)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    return done.returncode, done.stdout


def test_a_checkpoint_is_signed_when_a_minute_has_passed_or_a_thousand_events(world: World) -> None:
    events(world, 3)
    first = due(world)
    assert first is not None
    assert first.size == 3
    events(world, 1)
    assert due(world) is None
    world.clock.move(timedelta(seconds=60))
    assert due(world) == Checkpoint(first.origin, 4, open_newest(world).root)
    assert due(world) is None

    events(world, 999)
    with world.store.read() as work:
        assert work.tree.last_checkpoint().size == 4  # type: ignore[union-attr]
    events(world, 1)

    # Nobody waited for the minute: the transaction with the thousandth event had it signed, once it was durable.
    assert open_newest(world).size == 1004


def open_newest(world: World) -> Checkpoint:
    return open_checkpoint(newest_checkpoint(world.ctx), world.ctx.log.keys.verifiers).checkpoint


def test_a_clock_that_was_set_back_puts_no_checkpoint_off(world: World) -> None:
    events(world, 1)
    due(world)
    events(world, 1)
    world.clock.move(timedelta(minutes=-5))

    assert due(world) is not None


def test_what_is_not_durable_is_never_signed(world: World) -> None:
    events(world, 10)

    with pytest.raises(Conflict):
        stopped(world, 2_000)

    assert sign(world) is not None
    assert open_newest(world).size == 10
    assert world.ctx.check_log().whole


def test_a_commit_that_fails_leaves_log_head_file_and_what_is_outside_as_they_were(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    world = make_world(tmp_path / "home", Path(), log_places=f"folder:{outside}")
    events(world, 1)
    sign(world)
    give_checkpoints(world.ctx)

    with pytest.raises(Conflict):
        fail_to_commit(world, 1_500)

    assert world.services.audit_log.kept_head().size == 1  # type: ignore[union-attr]
    assert open_newest(world).size == 1
    assert [path.name[-2:] for path in outside.iterdir()] == ["01"]
    assert world.ctx.check_log().whole
    world.close()


def test_an_event_goes_with_its_act_when_the_act_is_not_done(world: World) -> None:
    events(world, 1)

    with pytest.raises(Conflict):
        stopped(world, 1)

    with world.store.read() as work:
        assert work.log.size() == 1
    assert world.ctx.check_log().whole


def test_every_event_is_proved_under_the_newest_checkpoint(world: World) -> None:
    events(world, 600)
    sign(world)

    with world.store.read() as work:
        for seq in (1, 2, 255, 256, 257, 512, 513, 600):
            proof, entry = prove(work, seq)
            seen = check_proof(read_proof(write_proof(proof)), entry, world.ctx.log.keys.verifiers)
            assert seen.checkpoint.size == 600
            assert f'"seq":{seq}}}'.encode() in entry
        with pytest.raises(NotFound):
            prove(work, 601)
        with pytest.raises(NotFound):
            prove(work, 0)


def test_a_log_that_was_changed_is_not_signed_any_more(world: World) -> None:
    events(world, 300)
    sign(world)
    events(world, 10)
    execute(world, "DROP TRIGGER audit_events_no_update", "UPDATE audit_events SET leaf = chain WHERE seq = 305")

    with pytest.raises(Conflict, match="305"):
        sign(world)
    assert world.ctx.check_log().first_bad == 305


def test_a_log_that_does_not_continue_its_last_checkpoint_is_not_signed(world: World) -> None:
    events(world, 300)
    sign(world)
    other = make_world(world.services.settings.home.parent / "other", Path())
    events(other, 320, "OTHER")
    with world.store.read() as work, other.store.write() as forged:
        forged.tree.add_checkpoint(work.tree.last_checkpoint())  # type: ignore[arg-type]
    other.ctx = replace(other.ctx, log=world.ctx.log)

    with pytest.raises(Conflict, match="do not continue"):
        sign(other)
    other.close()


def test_a_restored_older_database_is_noticed_by_what_lies_outside(world: World, tmp_path: Path) -> None:
    outside = FolderPlace(tmp_path / "outside")
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=(outside,)))
    events(world, 5)
    database = world.services.settings.home / "rushlight.db"
    with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(tmp_path / "backup.db")) as two:
        one.backup(two)
    events(world, 5)
    sign(world)
    assert give_checkpoints(world.ctx) == {}
    world.close()

    for left in world.services.settings.home.glob("rushlight.db*"):
        left.unlink()
    shutil.copy(tmp_path / "backup.db", database)
    world.services.settings.head_file.unlink()
    known, troubles = seen_outside(world.ctx)
    verdict = check_log(world.store, world.services.audit_log, world.ctx.log.keys, known)

    assert troubles == {}
    assert (verdict.whole, verdict.first_bad) == (False, 6)
    assert "ends at event 5" in verdict.problem


def test_a_log_that_went_another_way_after_a_restore_is_noticed(world: World, tmp_path: Path) -> None:
    events(world, 10)
    sign(world)
    known = known_from(world.ctx.log.keys, newest_checkpoint(world.ctx), "the witness")
    other = make_world(tmp_path / "other", Path())
    events(other, 12, "OTHER")

    verdict = check_log(other.store, other.services.audit_log, world.ctx.log.keys, [known])

    assert not verdict.whole
    assert "the witness" in verdict.problem
    other.close()


def test_a_log_of_the_release_before_gains_its_tree_and_no_row_changes(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home", Path())
    events(world, 700)
    with world.services.engine.connect() as connection:
        columns = connection.execute(text("SELECT * FROM audit_events ORDER BY seq")).mappings().all()
        [head] = connection.execute(text("SELECT frontier, hashed FROM audit_head")).all()
    with world.store.read() as work:
        leaves = [row.leaf for row in work.log.rows()]
    before = [{**row, "leaf": leaf, "hash": leaf_hash(leaf)} for row, leaf in zip(columns, leaves, strict=True)]
    old = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    migrate(old, "0008")
    with old.execution_options(rushlight_write=True).begin() as connection:
        statement = (
            "INSERT INTO audit_events (seq, leaf, hash, chain, at, kind, actor, library_id, request, delivery, agreements) "
            "VALUES (:seq, :leaf, :hash, :chain, :at, :kind, :actor, :library_id, :request, '', '')"
        )
        connection.execute(text(statement), before)
        chain = {"chain": before[-1]["chain"]}
        connection.execute(text("INSERT INTO audit_head (id, size, chain) VALUES (1, 700, :chain)"), chain)

    migrate(old)

    with old.connect() as connection:
        after = connection.execute(text("SELECT leaf FROM audit_events ORDER BY seq")).scalars().all()
        assert connection.execute(text("SELECT frontier, hashed FROM audit_head")).all() == [head]
    assert after == leaves
    with Session(old) as session:
        assert [row.leaf for row in SqlUsageLog(session).rows()] == leaves
    old.dispose()
    world.close()


def test_events_that_an_older_release_wrote_meanwhile_join_the_tree(world: World) -> None:
    events(world, 10)
    execute(world, "UPDATE audit_head SET frontier = x'', hashed = 0")

    assert sign(world) is not None
    events(world, 3)

    with world.store.read() as work:
        assert work.tree.head().root is not None
    assert sign(world) is not None
    assert world.ctx.check_log().whole


@pytest.mark.parametrize("table", ["audit_tiles", "audit_checkpoints", "audit_cosignatures"])
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_the_database_refuses_to_change_what_was_signed(world: World, table: str, act: str) -> None:
    events(world, 300)
    sign(world)
    with world.store.write() as work:
        work.tree.add_cosignature(300, "w", "line", world.clock())

    with pytest.raises(SQLAlchemyError, match="only added to"):
        execute(world, act.format(table, "number" if table == "audit_tiles" else "size"))


def test_a_new_key_signs_and_what_the_old_one_signed_stays_good(world: World) -> None:
    events(world, 5)
    sign(world)
    old = world.ctx.log.keys.verifiers
    rotate_log_key(world.services.settings, world.clock())
    keys = read_log_keys(world.services.settings.log_key_file)
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, keys=keys))
    events(world, 5)
    sign(world)

    assert keys.verifiers[:1] == old
    assert open_checkpoint(newest_checkpoint(world.ctx), keys.verifiers[1:]).checkpoint.size == 10
    assert check_log(world.store, world.services.audit_log, keys).whole


def test_a_machine_with_other_keys_does_not_sign(world: World, tmp_path: Path) -> None:
    events(world, 5)
    sign(world)
    other = make_world(tmp_path / "other", Path())
    keys = replace(other.ctx.log.keys, origin=world.ctx.log.keys.origin)
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, keys=keys))
    events(world, 5)

    with pytest.raises(Conflict, match=r"log-keys\.json"):
        sign(world)
    other.close()


def test_an_exported_log_is_verified_without_rushlight(world: World, tmp_path: Path) -> None:
    events(world, 200)
    sign(world)
    (tmp_path / "older").write_bytes(newest_checkpoint(world.ctx))
    events(world, 500)
    sign(world)
    key = ["--key", world.ctx.log.keys.verifiers[0]]
    export_log(world.ctx, tmp_path / "log", entries=True)
    export_log(world.ctx, tmp_path / "bare", entries=False)

    good = verified(tmp_path / "log", *key, "--checkpoint", tmp_path / "older")
    assert good == (0, f"good: {world.ctx.log.keys.origin}, 700 entries\n")
    assert verified(tmp_path / "bare", *key)[0] == 0
    bundle = tmp_path / "log" / "tile" / "entries" / "001"
    bundle.write_bytes(bundle.read_bytes().replace(b'"seq":300}', b'"seq":301}'))
    assert verified(tmp_path / "log", *key) == (1, "BAD: entry 299 is not the one in the tree\n")


def test_the_stand_alone_script_notices_another_log_and_another_key(world: World, tmp_path: Path) -> None:
    events(world, 300)
    sign(world)
    (tmp_path / "older").write_bytes(newest_checkpoint(world.ctx))
    other = make_world(tmp_path / "other", Path())
    other.ctx = replace(other.ctx, log=world.ctx.log)
    events(other, 400, "OTHER")
    sign(other)
    export_log(other.ctx, tmp_path / "log", entries=True)
    key = world.ctx.log.keys.verifiers[0]

    code, said = verified(tmp_path / "log", "--key", key, "--checkpoint", tmp_path / "older")
    assert (code, "entry 0 or one up to 299 is not what" in said) == (1, True)
    assert verified(tmp_path / "log", "--key", world.ctx.log.keys.witness.verifier)[0] == 1
    assert verified(tmp_path / "log")[0] == 2
    other.close()


def test_a_proof_is_verified_without_rushlight(world: World, tmp_path: Path) -> None:
    events(world, 40)
    sign(world)
    with world.store.read() as work:
        proof, entry = prove(work, 17)
    (tmp_path / "proof").write_bytes(write_proof(proof))
    (tmp_path / "entry").write_bytes(entry)
    (tmp_path / "forged").write_bytes(entry.replace(b"harbour", b"elsewhere"))
    told = ("--key", world.ctx.log.keys.verifiers[0], "--proof", tmp_path / "proof", "--entry")

    assert verified(*told, tmp_path / "entry")[0] == 0
    assert verified(*told, tmp_path / "forged") == (1, "BAD: entry 16 is not in this log\n")


def test_many_processes_find_what_one_finds(world: World) -> None:
    events(world, 600)
    sign(world)
    execute(world, "DROP TRIGGER audit_events_no_delete", "DELETE FROM audit_events WHERE seq = 400")
    url = world.services.settings.database

    one = check_log(world.store, world.services.audit_log, world.ctx.log.keys)
    two = check_log(world.store, world.services.audit_log, world.ctx.log.keys, [Known(9, b"", "x")], 2, url)

    assert one == two
    assert (one.whole, one.first_bad) == (False, 400)
