"""Logs that are witnessed: the rules of a witness, places outside, and two installations that witness each other."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from admin.log_wiring import MailPlace, check_log, log_settings
from admin.settings import Settings, SettingsError
from delivery.log_places import PlaceFailed
from delivery.services.checkpointing import make_checkpoint
from delivery.services.log_tiles import subtrees_of
from delivery.services.witnessing import give_checkpoints, newest_checkpoint, seen_outside
from drm.audit.checkpoints import Checkpoint, open_checkpoint
from drm.audit.notes import Verifier
from drm.audit.tiles import TileName, hashes_of, tiles_of, unpacked
from drm.audit.tree import EMPTY, entry_hash, prove_consistency
from drm.audit.witnessing import write_submission
from storage.blobs.s3 import Bucket
from storage.blobs.s3_log import S3Place
from storage.log_folder import FolderPlace
from tests.flows.test_log import events, sign
from tests.services.processes import free_port
from tests.services.rushlight_server import rushlight_server
from tests.services.s3 import S3Server
from tests.world import World, make_world


@pytest.fixture
def witness(world: World, tmp_path: Path) -> World:
    """An installation that witnesses the log of ``world``."""
    made = make_world(tmp_path / "witness", Path())
    made.ctx = replace(made.ctx, log=replace(made.ctx.log, witnessed=world.ctx.log.keys.verifiers))
    return made


def submission(world: World, old: int) -> bytes:
    """What a log sends that thinks its witness has seen ``old`` events."""
    note = newest_checkpoint(world.ctx)
    size = open_checkpoint(note, world.ctx.log.keys.verifiers).checkpoint.size
    with world.store.read() as work:
        return write_submission(old, prove_consistency(old, size, subtrees_of(work, size)), note)


def ask(witness: World, body: bytes) -> tuple[int, str]:
    answer = witness.reader_app().test_client().post("/log/add-checkpoint", data=body)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_witness_cosigns_what_continues_what_it_saw(world: World, witness: World) -> None:
    events(world, 5)
    sign(world)
    status, line = ask(witness, submission(world, 0))
    events(world, 300)
    sign(world)
    later, _ = ask(witness, submission(world, 5))

    assert (status, later) == (200, 200)
    text = open_checkpoint(newest_checkpoint(world.ctx), world.ctx.log.keys.verifiers).note.text
    assert line.startswith(f"\u2014 {witness.ctx.log.keys.origin}/witness ")
    key = witness.ctx.log.keys.witness.verifier
    assert key.name in ask(witness, submission(world, 305))[1]
    with witness.store.read() as work:
        seen = work.tree.witnessed(world.ctx.log.keys.origin)
    assert seen is not None
    assert seen.text == text


def test_a_witness_says_what_it_saw_where_the_log_thinks_otherwise(world: World, witness: World) -> None:
    events(world, 5)
    sign(world)
    ask(witness, submission(world, 0))
    events(world, 5)
    sign(world)

    answer = witness.reader_app().test_client().post("/log/add-checkpoint", data=submission(world, 0))

    assert (answer.status_code, answer.get_data(as_text=True)) == (409, "5\n")
    assert answer.headers["Content-Type"] == "text/x.tlog.size"


def test_a_witness_takes_no_smaller_tree_and_no_other_one(world: World, witness: World) -> None:
    events(world, 8)
    sign(world)
    small = submission(world, 0)
    events(world, 2)
    sign(world)
    ask(witness, submission(world, 0))
    signer = world.ctx.log.keys.signer(world.clock())
    another = Checkpoint(signer.name, 10, EMPTY).signed(signer)
    longer = Checkpoint(signer.name, 12, EMPTY).signed(signer)

    assert ask(witness, small) == (409, "10\n")
    assert ask(witness, small.replace(b"old 0", b"old 10"))[0] == 400
    assert ask(witness, write_submission(10, [], another)) == (409, "10\n")
    assert ask(witness, write_submission(10, [EMPTY], longer))[0] == 422
    assert ask(witness, write_submission(10, [], longer))[0] == 422
    assert ask(witness, submission(world, 10))[0] == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda body: body.replace(b"old 0", b"old 00"), 400),
        (lambda body: body.replace(b"old 0\n", b""), 400),
        (lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"), 400),
        (lambda body: body.replace(b"\n5\n", b"\n6\n"), 403),
        (lambda body: re.sub(rb"\nrushlight.invalid/\w+\n", b"\nelsewhere.example/log\n", body), 404),
        (lambda body: b"", 400),
        (lambda body: b"\xff" * 100, 400),
        (lambda body: body + "\u2014 name \u00e9\n".encode(), 400),
        (lambda body: body + b"x" * 200_000, 400),
    ],
)
def test_a_witness_refuses_what_is_not_as_it_must_be(
    world: World, witness: World, change: Callable[[bytes], bytes], status: int
) -> None:
    events(world, 5)
    sign(world)

    assert ask(witness, change(submission(world, 0)))[0] == status
    with witness.store.read() as work:
        assert work.tree.witnessed(world.ctx.log.keys.origin) is None


def test_of_two_checkpoints_at_once_a_witness_keeps_one(world: World, witness: World) -> None:
    events(world, 5)
    sign(world)
    ask(witness, submission(world, 0))
    seen = open_checkpoint(newest_checkpoint(world.ctx), world.ctx.log.keys.verifiers).checkpoint
    for more in (replace(seen, size=7), replace(seen, size=6)):
        with witness.store.write() as work:
            done = work.tree.witness(seen, more, b"note", witness.clock())
        assert done == (more.size == 7)


def test_every_tile_that_the_checkpoint_needs_is_given_out_and_no_other(world: World) -> None:
    events(world, 600)
    sign(world)
    events(world, 10)
    client = world.reader_app().test_client()

    for name in tiles_of(600, entries=False):
        answer = client.get(f"/log/{name.path}")
        assert (answer.status_code, len(answer.data)) == (200, 32 * name.width), name
        assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(f"/log/{TileName(0, 2, 98).path}").status_code == 404
    assert client.get(f"/log/{TileName(-1, 0).path}").status_code == 404
    assert client.get("/log/tile/0/x000/000").status_code == 404
    assert client.get("/log/checkpoint").headers["Cache-Control"] == "public, max-age=5"
    assert client.get("/log/keys").get_data(as_text=True) == world.ctx.log.keys.published()


def test_entries_are_given_out_where_the_settings_say_so_and_hash_to_their_tile(world: World) -> None:
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, public_entries=True))
    events(world, 300)
    sign(world)
    client = world.reader_app().test_client()

    entries = unpacked(client.get(f"/log/{TileName(-1, 1, 44).path}").data)

    assert [entry_hash(entry) for entry in entries] == hashes_of(client.get(f"/log/{TileName(0, 1, 44).path}").data)


def test_a_folder_keeps_every_checkpoint_and_knows_the_newest(world: World, tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "outside")
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=(place,)))
    for _ in range(2):
        events(world, 7)
        sign(world)
        assert give_checkpoints(world.ctx) == {}

    assert len(list((tmp_path / "outside").iterdir())) == 2
    assert place.newest() == (14, newest_checkpoint(world.ctx))


def test_a_place_that_fails_is_told_and_tried_again_later(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = FolderPlace(tmp_path / "file" / "below")
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=(place,)))
    events(world, 7)
    sign(world)

    assert "cannot be written" in give_checkpoints(world.ctx)[place.name]
    (tmp_path / "file").unlink()
    assert give_checkpoints(world.ctx) == {}
    assert not (tmp_path / "file").exists()
    world.clock.move(timedelta(minutes=1))
    assert give_checkpoints(world.ctx) == {}
    assert (tmp_path / "file" / "below").exists()


def test_an_auditor_gets_one_checkpoint_a_day_by_mail(world: World) -> None:
    place = MailPlace("auditor@example.org", world.post, world.ctx.log.keys.origin)
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=(place,)))
    for hours in (0, 1, 24):
        world.clock.move(timedelta(hours=hours))
        events(world, 1)
        sign(world)
        give_checkpoints(world.ctx)

    assert [letter.subject.rpartition(": ")[2] for letter in world.post.letters] == ["1 events", "3 events"]
    assert newest_checkpoint(world.ctx).decode() in world.post.letters[1].text


def test_a_bucket_with_object_lock_keeps_checkpoints_that_nobody_can_take_back(world: World, s3: S3Server) -> None:
    bucket = Bucket("locked", "log", s3.endpoint, "us-east-1", s3.access_key, s3.secret_key)
    place = S3Place(bucket, lambda: world.clock() + timedelta(days=30))
    place._client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=(place,)))
    events(world, 3)
    sign(world)
    assert give_checkpoints(world.ctx) == {}
    world.clock.move(timedelta(minutes=1))
    events(world, 3)
    sign(world)
    assert give_checkpoints(world.ctx) == {}

    assert place.newest() == (6, newest_checkpoint(world.ctx))
    for version in place._client.list_object_versions(Bucket="locked")["Versions"]:
        with pytest.raises(ClientError):
            place._client.delete_object(Bucket="locked", Key=version["Key"], VersionId=version["VersionId"])


def test_a_bucket_without_lock_is_used_too_and_one_that_does_not_let_us_in_is_told(world: World, s3: S3Server) -> None:
    plain = Bucket(s3.bucket, "checkpoints", s3.endpoint, "us-east-1", s3.access_key, s3.secret_key)
    events(world, 3)
    sign(world)
    note = newest_checkpoint(world.ctx)
    place = S3Place(plain, world.clock)

    place.give(note, 0, lambda _: [])
    assert place.newest() == (3, note)
    with pytest.raises(PlaceFailed, match="bucket"):
        S3Place(replace(plain, secret_key="wrong"), world.clock).give(note, 0, lambda _: [])


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("log_places", "ftp://x"),
        ("log_places", "folder:relative"),
        ("log_places", "https://partner.example/log"),
        ("log_places", "https://partner.example/log#rubbish"),
        ("log_witnessed", "rubbish"),
        ("log_witnessed", "WITNESS"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name(world: World, setting: str, value: str) -> None:
    value = value.replace("WITNESS", str(world.ctx.log.keys.witness.verifier))
    settings = Settings(home=world.services.settings.home, _env_file=None, **{setting: value})  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match=f"RUSHLIGHT_{setting.upper()}"):
        log_settings(settings, world.post, world.clock)


def fetched(port: int, name: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log/{name}", timeout=10) as answer:
        return bytes(answer.read())


def until(check: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.2)


def verify(home: Path, **settings: str) -> tuple[int, str]:
    """``rushlight audit verify`` on a home folder."""
    own = {f"RUSHLIGHT_{name.upper()}": value for name, value in {"home": str(home), **settings}.items()}
    command = [sys.executable, "-m", "admin.cli", "audit", "verify"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**dict(own), "PATH": "/usr/bin"})
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_installations_witness_each_other_and_notice_when_one_is_set_back(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    worlds = [make_world(tmp_path / name, Path()) for name in ("one", "two")]
    keys = [world.ctx.log.keys for world in worlds]
    for world in worlds:
        events(world, 300)
    settings = [
        {
            "reader_port": str(ports[own]),
            "checkpoint_seconds": "1",
            "log_witnessed": str(keys[1 - own].verifiers[0]),
            "log_places": f"http://127.0.0.1:{ports[1 - own]}/log#{keys[1 - own].witness.verifier}",
        }
        for own in (0, 1)
    ]
    database = tmp_path / "one" / "rushlight.db"
    with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(tmp_path / "backup.db")) as two:
        one.backup(two)

    def cosigned(own: int) -> bool:
        witnesses: list[Verifier] = [keys[1 - own].witness.verifier]
        try:
            note = fetched(ports[own], "checkpoint")
        except OSError:
            return False
        seen = open_checkpoint(note, keys[own].verifiers, witnesses)
        return seen.checkpoint.size >= 310 and witnesses[0] in seen.signers

    with rushlight_server(tmp_path / "two", **settings[1]):
        with rushlight_server(tmp_path / "one", **settings[0]):
            for world in worlds:
                events(world, 10)
            until(lambda: cosigned(0) and cosigned(1))
        for world in worlds:
            world.close()
        assert verify(tmp_path / "one", **settings[0]) == (0, "whole: 310 events\n")

        for left in (tmp_path / "one").glob("rushlight.db*"):
            left.unlink()
        shutil.copy(tmp_path / "backup.db", database)
        (tmp_path / "one" / "audit-head.json").unlink()
        subprocess.run(
            [sys.executable, "-m", "admin.cli", "audit", "checkpoint"],
            env={"RUSHLIGHT_HOME": str(tmp_path / "one"), "PATH": "/usr/bin"},
            check=True,
            capture_output=True,
        )
        code, said = verify(tmp_path / "one", **settings[0])

    assert code == 1
    assert f"the log ends at event 300, but {keys[1].witness.verifier.name} knows 310 events" in said


def test_what_a_witness_says_of_a_larger_log_makes_the_check_red(world: World, tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)
    signer = world.ctx.log.keys.signer(world.clock())
    place.give(Checkpoint(signer.name, 99, EMPTY).signed(signer), 0, lambda _: [])
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=(place,)))
    events(world, 5)
    make_checkpoint(world.ctx, world.services.keys.audit, at_once=True)

    known, _ = seen_outside(world.ctx)
    verdict = check_log(world.store, world.services.audit_log, world.ctx.log.keys, known)

    assert (verdict.whole, verdict.first_bad) == (False, 6)
