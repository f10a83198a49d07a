"""The stores for files: a local folder, and S3 behind the same promises."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from admin.doctor import examine
from admin.settings import Settings
from delivery.errors import Unavailable
from storage.blobs.local import LocalBlobs
from storage.blobs.s3 import Bucket, S3Blobs
from tests.behaviours.test_link_promises import address, press, supplied
from tests.contracts.blobs import BlobContract
from tests.services.cutting_proxy import cutting_proxy
from tests.services.s3 import S3Server
from tests.world import make_world


def bucket_of(server: S3Server, **changes: str) -> Bucket:
    own = Bucket(
        server.bucket, f"t{uuid.uuid4().hex}", server.endpoint, "us-east-1", server.access_key, server.secret_key
    )
    return replace(own, **changes)


class TestLocalBlobs(BlobContract):
    """A folder."""

    @pytest.fixture
    def blobs(self, tmp_path: Path) -> LocalBlobs:
        return LocalBlobs(tmp_path / "blobs")

    def test_a_file_that_cannot_be_read_leaves_nothing_behind(self, blobs: LocalBlobs, tmp_path: Path) -> None:
        with pytest.raises(Unavailable):
            blobs.put("copies/one.pdf", tmp_path / "missing.pdf")

        assert not blobs.exists("copies/one.pdf")
        assert list((tmp_path / "blobs" / "work.tmp").iterdir()) == []

    def test_a_disk_that_cannot_tell_does_not_say_that_a_file_is_lost(self, blobs: LocalBlobs, tmp_path: Path) -> None:
        (tmp_path / "blobs" / "copies").touch()  # where a folder was

        for ask in (blobs.exists, blobs.file, lambda name: blobs.local(name).__enter__()):
            with pytest.raises(Unavailable):
                ask("copies/one.pdf")


class TestS3Blobs(BlobContract):
    """A bucket of a store that checks signatures and digests."""

    @pytest.fixture
    def blobs(self, s3: S3Server, tmp_path: Path) -> S3Blobs:
        return S3Blobs(bucket_of(s3), tmp_path / "work")


def test_a_wrong_secret_is_told_as_a_store_that_refuses(s3: S3Server, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="refuses"):
        S3Blobs(bucket_of(s3, secret_key="x" * 40), tmp_path).probe()


def test_a_store_that_is_away_is_told_with_advice_when_to_come_again(tmp_path: Path) -> None:
    away = S3Blobs(Bucket("b", "", "http://127.0.0.1:9", "us-east-1", "a", "b" * 40), tmp_path)

    with pytest.raises(Unavailable) as told:
        away.exists("copies/one.pdf")

    assert told.value.retry_after > 0


def test_a_large_file_goes_in_parts_and_comes_back_whole(s3: S3Server, tmp_path: Path) -> None:
    blobs, large = S3Blobs(bucket_of(s3), tmp_path / "work"), tmp_path / "large.pdf"
    with large.open("wb") as file:
        for number in range(70):
            file.write(number.to_bytes(4, "big") * (256 * 1024))

    stored = blobs.put("sources/large.pdf", large)

    with blobs.local("sources/large.pdf") as path:
        assert path.read_bytes() == large.read_bytes()
    assert stored.bytes == 70 * 1024 * 1024


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(s3: S3Server, tmp_path: Path) -> None:
    (tmp_path / "file.pdf").write_bytes(data := bytes(range(256)) * 8_000)
    with cutting_proxy(s3.endpoint) as proxy:
        blobs = S3Blobs(bucket_of(s3, endpoint=proxy.endpoint), tmp_path / "work")
        blobs.put("copies/one.pdf", tmp_path / "file.pdf")
        proxy.cuts, proxy.after = 2, 600_000

        got = b"".join(blobs.open("copies/one.pdf", 100, 1_900_000))

    assert proxy.done == 2
    assert got == data[100:1_900_100]


def test_a_blob_that_was_changed_behind_our_back_is_never_worked_on(s3: S3Server, tmp_path: Path) -> None:
    bucket = bucket_of(s3)
    blobs = S3Blobs(bucket, tmp_path / "work")
    (tmp_path / "file.pdf").write_bytes(b"what was stored")
    blobs.put("copies/one.pdf", tmp_path / "file.pdf")
    key = f"{bucket.prefix}/copies/one.pdf"
    kept = blobs._client.head_object(Bucket=bucket.name, Key=key)["Metadata"]
    blobs._client.put_object(Bucket=bucket.name, Key=key, Body=b"something else", Metadata=kept)

    with pytest.raises(Unavailable) as damaged, blobs.local("copies/one.pdf"):
        pass

    assert damaged.value.code == "blob-damaged"


def test_a_request_is_delivered_from_a_bucket(s3: S3Server, tmp_path: Path, collection: Path) -> None:
    bucket = bucket_of(s3)
    settings = {
        "blob_url": f"s3://{bucket.name}/{bucket.prefix}",
        "s3_endpoint": bucket.endpoint,
        "s3_access_key": bucket.access_key,
        "s3_secret_key": bucket.secret_key,
    }
    world = make_world(tmp_path / "home", collection, **settings)
    delivery = supplied(world)
    client = world.reader_app().test_client()

    window = press(client, address(world, delivery))

    assert client.get(window, headers={"Range": "bytes=0-4"}).data == b"%PDF-"
    assert len(client.get(window).data) == delivery.bytes
    assert list((tmp_path / "home").rglob("*.pdf")) == []
    world.services.engine.dispose()


def test_the_doctor_asks_the_bucket_itself(s3: S3Server, tmp_path: Path) -> None:
    bucket = bucket_of(s3)
    right = Settings(
        home=tmp_path,
        blob_url=f"s3://{bucket.name}/{bucket.prefix}",
        s3_endpoint=bucket.endpoint,
        s3_access_key=bucket.access_key,
        s3_secret_key=SecretStr(bucket.secret_key),
        _env_file=None,
    )

    good, bad = (
        next(finding for finding in examine(settings) if finding.part == "blobs")
        for settings in (right, right.model_copy(update={"s3_secret_key": SecretStr("x" * 40)}))
    )

    assert good.good
    assert (bad.good, "RUSHLIGHT_S3_" in bad.advice) == (False, True)
