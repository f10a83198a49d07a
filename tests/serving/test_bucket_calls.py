"""What is asked of a bucket: as little as the reader asked for, once, and again only where it broke off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.behaviours.test_link_promises import address, press
from tests.flows.test_viewing import with_copy
from tests.services.cutting_proxy import CuttingProxy, cutting_proxy
from tests.services.s3 import S3Server
from tests.serving.shop import TAIL, Shop, make_shop
from tests.serving.test_downloads import s3_settings
from tests.world import make_world

SIZE = 2_000_000


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[CuttingProxy]:
    with cutting_proxy(s3.endpoint) as proxy:
        yield proxy


@pytest.fixture
def shop(tmp_path: Path, collection: Path, s3: S3Server, proxy: CuttingProxy) -> Iterator[Shop]:
    settings = s3_settings(replace(s3, endpoint=proxy.endpoint))
    shop = make_shop(tmp_path / "home", collection, SIZE, accel="/rushlight-copies/", **settings)
    proxy.ranges.clear()
    yield shop
    shop.world.close()


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    return shop.world.reader_app().test_client()


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        ("100-199", ["bytes=100-199"]),
        ("1000000-", [f"bytes=1000000-{SIZE - TAIL - 1}"]),
        (f"{SIZE - TAIL - 5}-{SIZE - TAIL + 5}", [f"bytes={SIZE - TAIL - 5}-{SIZE - TAIL - 1}"]),
        ("-100", []),
        ("0-9,500-599", ["bytes=0-9", "bytes=500-599"]),
    ],
)
def test_a_range_asks_the_bucket_for_just_that_and_once(
    shop: Shop, client: FlaskClient, proxy: CuttingProxy, asked: str, calls: list[str]
) -> None:
    answer = client.get(shop.path, headers={"Range": f"bytes={asked}"})

    assert answer.status_code == 206
    assert len(answer.data) == int(answer.headers["Content-Length"])
    assert proxy.ranges == calls


def test_a_copy_written_out_for_nginx_is_fetched_once(shop: Shop, client: FlaskClient, proxy: CuttingProxy) -> None:
    first = client.get(shop.path)
    then = [client.get(shop.path), client.get(shop.path, headers={"Range": "bytes=0-9"})]

    assert len(proxy.ranges) == 1
    assert {answer.headers["X-Accel-Redirect"] for answer in then} == {first.headers["X-Accel-Redirect"]}
    assert (shop.cache / first.headers["X-Accel-Redirect"].rpartition("/")[2]).read_bytes() == shop.data


def test_readers_of_one_article_ask_the_bucket_once_where_no_nginx_sends_it(
    s3: S3Server, proxy: CuttingProxy, tmp_path: Path, collection: Path
) -> None:
    settings = s3_settings(replace(s3, endpoint=proxy.endpoint))
    shop = make_shop(tmp_path / "home", collection, SIZE, **settings)
    client = shop.world.reader_app().test_client()
    proxy.ranges.clear()

    whole = [client.get(shop.path).data for _ in range(3)]
    part = client.get(shop.path, headers={"Range": "bytes=1000-1999"}).data

    assert whole == [shop.data] * 3
    assert part == shop.data[1000:2000]
    assert len(proxy.ranges) == 1
    shop.world.close()


def test_the_pages_of_a_copy_in_the_viewer_cost_one_download(
    s3: S3Server, proxy: CuttingProxy, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, **s3_settings(replace(s3, endpoint=proxy.endpoint)))
    delivery = with_copy(world, "view_only = true")
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    proxy.ranges.clear()

    for number in (1, 2, 3):
        page = client.get(f"{window}?page={number}").get_data(as_text=True)
        assert client.get(re.findall(r'src="(/v/[^"]+[.]png)"', page)[0]).data[:4] == b"\x89PNG"

    assert len(proxy.ranges) == 1
    world.close()
