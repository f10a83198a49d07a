"""Slow readers hold up nobody: few threads, many who hardly read, and all get their bytes."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.services.rushlight_server import Served, rushlight_server
from tests.serving.shop import Shop, make_shop

SIZE = 5 * 1024 * 1024
READERS = 200
THREADS = 4


@pytest.fixture(scope="module")
def open_shop(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[tuple[Shop, Served]]:
    home = tmp_path_factory.mktemp("slow") / "home"
    shop = make_shop(home, collection, SIZE)
    with rushlight_server(home, threads=str(THREADS)) as served:
        yield replace(shop, port=served.port), served
    shop.world.close()


class SlowReader:
    """Asks for the file on a connection with little room, and takes a kilobyte now and then."""

    def __init__(self, shop: Shop) -> None:
        self._sock = socket.socket()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._sock.settimeout(60)
        self._sock.connect(("127.0.0.1", shop.port))
        self._sock.sendall(f"GET {shop.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        self._got = bytearray()

    def sip(self) -> None:
        """One kilobyte, if there is one."""
        self._got += self._sock.recv(1024)

    def rest(self) -> bytes:
        """All the rest, at full speed; the body."""
        with self._sock:
            while data := self._sock.recv(1 << 20):
                self._got += data
        return bytes(self._got).partition(b"\r\n\r\n")[2]


def seconds_of(shop: Shop) -> float:
    """The median time of five requests that must be answered well."""
    times = []
    for _ in range(5):
        start = time.monotonic()
        answer = shop.fetch()
        times.append(time.monotonic() - start)
        assert answer.status == 200
    return statistics.median(times)


def test_two_hundred_slow_readers_hold_up_nobody_and_all_end_with_the_right_bytes(
    open_shop: tuple[Shop, Served],
) -> None:
    shop, served = open_shop
    page = replace(shop, path="/sign-in")
    alone = seconds_of(shop), seconds_of(page)
    threads = served.threads

    readers = [SlowReader(shop) for _ in range(READERS)]
    for _ in range(2):
        for reader in readers:
            reader.sip()
    among = seconds_of(shop), seconds_of(page)
    assert shop.fetch().body == shop.data
    for reader in readers:
        reader.sip()

    assert all(slow < 20 * quick + 1 for slow, quick in zip(among, alone, strict=True)), (alone, among)
    assert served.threads <= threads + 8
    assert all(reader.rest() == shop.data for reader in readers)
