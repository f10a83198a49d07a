"""Redis: always a server of our own, so that no test can flush somebody's data."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

from tests.services.processes import (
    ServiceUnavailableError,
    answers,
    as_user,
    folder_for,
    free_port,
    running,
    wait_until,
)


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """The URL of an empty Redis; ``RUSHLIGHT_TEST_REDIS`` names one to use instead."""
    if named := os.environ.get("RUSHLIGHT_TEST_REDIS"):
        yield named
        return
    port = free_port()
    with redis_on(port):
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def redis_on(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server of a test's own on a port, which keeps nothing: to be killed, stopped and started again."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise ServiceUnavailableError("no Redis: the package redis-server is missing")
    with folder_for("redis") as folder:
        log = folder / "log"
        options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "no"]
        with running(as_user("redis", binary, *options), folder, log) as process:
            wait_until(lambda: answers(port), process, log)
            yield process
