"""Our own server as a reader meets it: a process of its own, started by the command that operators type."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.services.processes import running, wait_until


@dataclass(frozen=True)
class Served:
    """A server that answers: the port of its reader app, and the process that its worker process came from."""

    port: int
    pid: int

    @property
    def workers(self) -> list[int]:
        """The processes that serve."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def threads(self) -> int:
        """Threads of the worker process."""
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self.workers)

    @property
    def memory(self) -> int:
        """Bytes that the worker process holds for itself: files that it has mapped are not among them."""
        return sum(anonymous(pid) for pid in self.workers)


def anonymous(pid: int) -> int:
    """Bytes that a process holds for itself; none for one that has ended and waits to be counted."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


@contextlib.contextmanager
def rushlight_server(home: Path, **settings: str) -> Iterator[Served]:
    """``rushlight serve`` on a home folder that is ready; settings by their names without the prefix, in lower case."""
    own = {f"RUSHLIGHT_{name.upper()}": value for name, value in settings.items()}
    ports = {"RUSHLIGHT_READER_PORT": "0", "RUSHLIGHT_STAFF_PORT": "0", "RUSHLIGHT_HOME": str(home)}
    ports |= {f"RUSHLIGHT_{name}_PACE": "" for name in ("READER", "LIBRARY", "TOKEN")}
    command, ready, log = [sys.executable, "-m", "admin.cli", "serve"], home / "serving.json", home / "server.log"
    with running(command, Path.cwd(), log, {**os.environ, **ports, **own}) as process:
        wait_until(ready.exists, process, log)
        told = json.loads(ready.read_text(encoding="utf-8"))
        yield Served(urlsplit(told["reader"]).port or told["reader_port"], told["pid"])
