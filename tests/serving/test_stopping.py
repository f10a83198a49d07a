"""A server that is told to stop: nobody is let in any more, and a download under way is brought to its end."""

from __future__ import annotations

import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

from tests.services.rushlight_server import rushlight_server
from tests.serving.shop import make_shop
from tests.serving.test_slow_readers import SlowReader

SIZE = 5_000_000
SECONDS = 60


def lets_in(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_download_under_way_is_finished_and_nobody_waits_at_a_port_that_is_not_served(
    tmp_path: Path, collection: Path
) -> None:
    shop = make_shop(tmp_path / "home", collection, SIZE)
    with rushlight_server(tmp_path / "home", stop_seconds=str(SECONDS)) as served:
        reader = SlowReader(replace(shop, port=served.port))
        reader.sip()
        os.kill(served.pid, signal.SIGTERM)
        end = time.monotonic() + SECONDS
        while lets_in(served.port) and time.monotonic() < end:
            time.sleep(0.05)

        assert not lets_in(served.port)
        assert served.workers, "the process did not wait for its reader"
        assert reader.rest() == shop.data
    shop.world.close()
