"""Folders and buckets outside: every checkpoint that they keep counts, and they take none that contradicts the newest."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.log_places import PlaceDiffers
from delivery.services.witnessing import give_checkpoints, newest_checkpoint
from drm.audit.chain import LogVerdict
from drm.audit.checkpoints import Checkpoint
from drm.audit.tree import EMPTY
from storage.blobs.s3 import Bucket
from storage.blobs.s3_log import S3Place
from storage.log_folder import NAME, FolderPlace
from tests.flows.test_log import events, sign
from tests.flows.test_places_outside import checked
from tests.flows.witness_server import uses
from tests.services.s3 import S3Server
from tests.world import World


@pytest.fixture
def set_back(world: World, tmp_path: Path) -> FolderPlace:
    """A place that has seen 5 and 25 events, of a host that was set back to 5 and has gone on to 35 another way."""
    place = FolderPlace(tmp_path / "outside")
    uses(world, place)
    database = world.services.settings.home / "rushlight.db"
    events(world, 5)
    sign(world)
    give_checkpoints(world.ctx)
    with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(tmp_path / "backup.db")) as two:
        one.backup(two)
    events(world, 20)
    sign(world)
    give_checkpoints(world.ctx)
    world.services.engine.dispose()
    for left in world.services.settings.home.glob("rushlight.db*"):
        left.unlink()
    shutil.copy(tmp_path / "backup.db", database)
    world.services.settings.head_file.unlink()
    events(world, 30, "ANOTHER")
    sign(world)
    return place


def files(tmp_path: Path) -> list[int]:
    return sorted(int(path.name[-20:]) for path in (tmp_path / "outside").iterdir())


def another(world: World, size: int) -> bytes:
    """A checkpoint of our own over another log of the same name."""
    signer = world.ctx.log.keys.signer(world.clock())
    return Checkpoint(signer.name, size, EMPTY).signed(signer)


def test_a_folder_takes_no_checkpoint_of_a_log_that_was_set_back_and_outgrew_it(
    world: World, set_back: FolderPlace, tmp_path: Path
) -> None:
    assert "does not continue the 25 events" in give_checkpoints(world.ctx)[set_back.name]

    assert files(tmp_path) == [5, 25]
    verdict, troubles = checked(world)
    assert not verdict.whole
    assert set_back.name in verdict.problem
    assert troubles[set_back.name].differs


def test_a_later_checkpoint_in_a_folder_hides_none_before_it(
    world: World, set_back: FolderPlace, tmp_path: Path
) -> None:
    (tmp_path / "outside" / NAME.format(35)).write_bytes(newest_checkpoint(world.ctx))

    verdict, _ = checked(world)

    assert not verdict.whole
    assert set_back.name in verdict.problem


def test_a_folder_that_is_gone_is_a_finding_and_is_not_made_anew(world: World, tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "outside")
    uses(world, place)
    events(world, 5)
    sign(world)
    assert checked(world) == (LogVerdict(True, 5), {})
    give_checkpoints(world.ctx)
    shutil.rmtree(tmp_path / "outside")
    events(world, 5)
    sign(world)

    assert checked(world)[1][place.name].differs
    assert "shows 0 events and was given 5" in give_checkpoints(world.ctx)[place.name]
    assert not (tmp_path / "outside").exists()


def test_a_folder_with_another_checkpoint_over_as_many_events_is_a_finding(world: World, tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "outside")
    uses(world, place)
    place.give(another(world, 5), 0, lambda _: [])
    events(world, 5)
    sign(world)

    assert "does not continue" in give_checkpoints(world.ctx)[place.name]
    assert not checked(world)[0].whole


@pytest.mark.parametrize("content", [b"", b"rubbish", "\u2014 a \u00e9\n".encode()])
def test_what_is_no_checkpoint_in_a_folder_is_a_finding_and_stops_no_check(
    world: World, tmp_path: Path, content: bytes
) -> None:
    place = FolderPlace(tmp_path / "outside")
    uses(world, place)
    events(world, 5)
    sign(world)
    give_checkpoints(world.ctx)
    (tmp_path / "outside" / NAME.format(3)).write_bytes(content)
    (tmp_path / "outside" / f"checkpoint-{10**19 * 9:020d}").touch()

    verdict, troubles = checked(world)

    assert verdict.whole
    assert "is no checkpoint of this log" in str(troubles[place.name])


def test_a_checkpoint_under_another_size_than_its_own_is_a_finding(world: World, tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "outside")
    uses(world, place)
    events(world, 5)
    sign(world)
    give_checkpoints(world.ctx)
    events(world, 5)
    (tmp_path / "outside" / NAME.format(9)).write_bytes(newest_checkpoint(world.ctx))

    assert checked(world)[1][place.name].differs


def test_a_bucket_with_object_lock_tells_of_what_was_laid_over_and_takes_nothing_that_contradicts_it(
    world: World, s3: S3Server
) -> None:
    bucket = Bucket("kept", "log", s3.endpoint, "us-east-1", s3.access_key, s3.secret_key)
    place = S3Place(bucket, lambda: world.clock() + timedelta(days=30))
    place._client.create_bucket(Bucket="kept", ObjectLockEnabledForBucket=True)
    uses(world, place)
    events(world, 5)
    sign(world)
    assert give_checkpoints(world.ctx) == {}
    assert checked(world) == (LogVerdict(True, 5), {})
    first = place.newest()
    with pytest.raises(PlaceDiffers, match="does not continue"):
        place.give(another(world, 5), 0, lambda _: [])
    with pytest.raises(PlaceDiffers, match="does not continue"):
        place.give(another(world, 9), 5, lambda _: [EMPTY])

    [listed] = place._client.list_objects_v2(Bucket="kept")["Contents"]
    place._client.put_object(Bucket="kept", Key=listed["Key"], Body=another(world, 5))
    assert not checked(world)[0].whole
    place._client.delete_object(Bucket="kept", Key=listed["Key"])
    assert first[1] in [note for _, note in place.seen(b"", 0, lambda _: []).notes]
    assert not checked(world)[0].whole


def test_a_bucket_that_was_emptied_is_a_finding(world: World, s3: S3Server) -> None:
    place = S3Place(Bucket(s3.bucket, "emptied", s3.endpoint, "us-east-1", s3.access_key, s3.secret_key), world.clock)
    uses(world, place)
    events(world, 5)
    sign(world)
    give_checkpoints(world.ctx)
    for one in place._client.list_objects_v2(Bucket=s3.bucket, Prefix="emptied/")["Contents"]:
        place._client.delete_object(Bucket=s3.bucket, Key=one["Key"])

    assert "shows 0 events and was given 5" in str(checked(world)[1][place.name])
