"""A hundred large downloads at once need no more memory than a few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services.rushlight_server import Served, rushlight_server
from tests.services.s3 import S3Server
from tests.serving.crowd import download_all
from tests.serving.shop import Shop, make_shop
from tests.serving.test_downloads import s3_settings

SIZE = 100_000_000
READERS = 100
MOST_GROWTH = 64 * 1024 * 1024


@pytest.fixture
def folder_shop(tmp_path: Path, collection: Path) -> Iterator[tuple[Shop, Served]]:
    yield from opened(tmp_path, collection, {})


@pytest.fixture
def bucket_shop(tmp_path: Path, collection: Path, s3: S3Server) -> Iterator[tuple[Shop, Served]]:
    yield from opened(tmp_path, collection, s3_settings(s3))


def opened(folder: Path, collection: Path, settings: dict[str, str]) -> Iterator[tuple[Shop, Served]]:
    shop = make_shop(folder / "home", collection, SIZE, **settings)
    with rushlight_server(folder / "home", **settings) as served:
        yield replace(shop, port=served.port), served
    shop.world.close()


def all_get_it_in_little_memory(shop: Shop, served: Served) -> None:
    seen: list[int] = []
    download_all(shop, 2, lambda: None)
    before, threads = served.memory, served.threads

    got = download_all(shop, READERS, lambda: seen.append(served.memory))

    assert [length for length, _ in got] == [SIZE] * READERS
    assert {digest for _, digest in got} == {shop.digest, ""}
    assert max(seen) - before < MOST_GROWTH, f"{before} bytes grew to {max(seen)}"
    assert served.threads <= threads + 24


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_large_downloads_from_a_folder_take_little_memory(folder_shop: tuple[Shop, Served]) -> None:
    all_get_it_in_little_memory(*folder_shop)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_large_downloads_from_a_bucket_take_little_memory(bucket_shop: tuple[Shop, Served]) -> None:
    all_get_it_in_little_memory(*bucket_shop)
