"""What all starters need: free ports, folders for other users, children that end with the tests, patience."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


class ServiceUnavailableError(Exception):
    """The service neither runs here nor can be started; the text says what to install."""


def free_port(companion: int = 0) -> int:
    """A port of 127.0.0.1 that nobody holds; with ``companion``, the port that many above is free as well.

    Servers are told their port before they bind it, so it is taken from below the range that the kernel gives to
    outgoing connections; two processes at once meet only by chance.
    """
    for _ in range(200):
        port = random.randint(12_000, 21_999)
        if all(is_free(each) for each in {port, port + companion}):
            return port
    raise ServiceUnavailableError("no free port on 127.0.0.1 between 12000 and 21999")


def is_free(port: int) -> bool:
    """Whether a server could bind this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0 and _can_bind(probe, port)


def _can_bind(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def folder_for(user: str) -> Iterator[Path]:
    """A folder that the service's user may write when the tests run as root; else one of our own.

    It lies directly under /tmp, because the path of a Unix socket may have 107 bytes at most.
    """
    folder = Path(tempfile.mkdtemp(prefix="rushlight-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_user(user: str, *command: str | Path) -> list[str]:
    """The command, run as ``user`` when the tests run as root (PostgreSQL refuses root), and ended with its parent."""
    switch = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", "--pdeathsig=INT", *switch, "--", *map(str, command)]


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process in a group of its own: interrupted at the end, and killed when that does not help."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue
        break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what the server itself had started


def wait_until(is_up: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Returns when the server answers; otherwise fails with the last lines of its log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if is_up():
            return
        time.sleep(0.1)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{process.args!r} did not come up (exit {process.poll()}):\n{tail}")


def answers(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
