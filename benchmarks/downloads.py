"""How fast copies leave the house: through nginx beside a static file of it, and from the service alone, interleaved."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.services.nginx import nginx
from tests.services.rushlight_server import rushlight_server
from tests.serving.shop import Shop, make_shop
from tests.world import collection_for

ACCEL = "/rushlight-copies/"
ROOM = memoryview(bytearray(1 << 20))


@dataclass(frozen=True)
class Throughput:
    """Bytes in a second on one kept connection, medians: nginx and a static file, nginx and a copy, the service by itself."""

    size: int
    static: float
    by_nginx: float
    by_service: float

    @property
    def of_static(self) -> float:
        """The share of the static file's throughput that a copy has behind nginx."""
        return self.by_nginx / self.static


@contextmanager
def _fetcher(shop: Shop) -> Iterator[Callable[[int], float]]:
    with shop.connection() as connection:

        def seconds(times: int) -> float:
            start = time.perf_counter()
            for _ in range(times):
                connection.request("GET", shop.path)
                answer, got = connection.getresponse(), 0
                while length := answer.readinto(ROOM):
                    got += length
                assert got == len(shop.data)
            return time.perf_counter() - start

        yield seconds


def measure(size: int, rounds: int = 9, times: int = 1) -> Throughput:
    """Fetch a copy of ``size`` bytes ``times`` in a row, each way in turn, ``rounds`` times after one that does not count."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shop = make_shop(home, collection_for(Path(folder)), size)
        (home / "static").write_bytes(shop.data)
        direct = make_shop(Path(folder) / "direct", collection_for(Path(folder) / "more"), size)
        try:
            with (
                rushlight_server(home, accel=ACCEL, proxies="1") as behind,
                rushlight_server(direct.world.services.settings.home) as alone,
                nginx(behind.port, home / "cache", home) as (port, plain),
                _fetcher(replace(shop, port=plain, path="/static")) as static,
                _fetcher(replace(shop, port=port)) as by_nginx,
                _fetcher(replace(direct, port=alone.port)) as by_service,
            ):
                ways = (static, by_nginx, by_service)
                taken = [[way(times) for way in ways] for _ in range(rounds + 1)][1:]
        finally:
            shop.world.close()
            direct.world.close()
    medians = (statistics.median(way) for way in zip(*taken, strict=True))
    return Throughput(size, *(size * times / median for median in medians))


if __name__ == "__main__":
    for size, times in ((1_000_000, 20), (100_000_000, 1)):
        found = measure(size, times=times)
        print(
            f"{size / 1e6:5.0f} MB: static {found.static / 1e6:6.0f} MB/s, copy behind nginx {found.by_nginx / 1e6:6.0f}"
            f" ({found.of_static:.2f}), service alone {found.by_service / 1e6:6.0f}"
        )
