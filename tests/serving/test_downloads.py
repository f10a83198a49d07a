"""Downloads from a folder, from a bucket, and through nginx: the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import or_skip
from tests.contracts.downloads import DownloadContract
from tests.services.nginx import nginx
from tests.services.rushlight_server import rushlight_server
from tests.services.s3 import S3Server
from tests.serving.shop import Shop, make_shop
from tests.storage.test_blobs import bucket_of

SIZE = 5_000_000
ACCEL = "/rushlight-copies/"


def s3_settings(server: S3Server) -> dict[str, str]:
    bucket = bucket_of(server)
    return {
        "blob_url": f"s3://{bucket.name}/{bucket.prefix}",
        "s3_endpoint": bucket.endpoint,
        "s3_access_key": bucket.access_key,
        "s3_secret_key": bucket.secret_key,
    }


@pytest.fixture(scope="module")
def folder_shop(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("folder") / "home"
    shop = make_shop(home, collection, SIZE)
    with rushlight_server(home) as served:
        yield replace(shop, port=served.port)
    shop.world.close()


@pytest.fixture(scope="module")
def bucket_shop(tmp_path_factory: pytest.TempPathFactory, collection: Path, s3: S3Server) -> Iterator[Shop]:
    home, settings = tmp_path_factory.mktemp("bucket") / "home", s3_settings(s3)
    shop = make_shop(home, collection, SIZE, **settings)
    with rushlight_server(home, **settings) as served:
        yield replace(shop, port=served.port)
    shop.world.close()


@pytest.fixture(scope="module")
def nginx_shop(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("nginx") / "home"
    shop = make_shop(home, collection, SIZE)
    with rushlight_server(home, accel=ACCEL, proxies="1") as served, or_skip() as stack:
        port, _ = stack.enter_context(nginx(served.port, home / "cache", home))
        yield replace(shop, port=port)
    shop.world.close()


class TestFromAFolder(DownloadContract):
    """The store has the file: it goes from there into the socket."""

    @pytest.fixture
    def shop(self, folder_shop: Shop) -> Shop:
        return folder_shop


class TestFromABucket(DownloadContract):
    """The store is another machine: pieces are fetched as the reader takes them."""

    @pytest.fixture
    def shop(self, bucket_shop: Shop) -> Shop:
        return bucket_shop


class TestThroughNginx(DownloadContract):
    """nginx sends the file that we put into the cache."""

    @pytest.fixture
    def shop(self, nginx_shop: Shop) -> Shop:
        return nginx_shop

    def test_the_copy_was_written_once_and_lies_in_the_cache(self, shop: Shop) -> None:
        for _ in range(3):
            shop.fetch()

        [file] = [path for path in shop.cache.iterdir() if not path.name.startswith(".")]
        assert file.read_bytes() == shop.data
        assert file.stat().st_mode & 0o007 == 0

    def test_nobody_can_ask_nginx_for_the_cache(self, shop: Shop) -> None:
        shop.fetch()

        for path in shop.cache.iterdir():
            assert replace(shop, path=ACCEL + path.name).fetch().status == 404
