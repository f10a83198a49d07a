"""An installation with delivered copies of chosen size, made the way copies are always made, and its running server."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from admin.sample import build_collection
from delivery.services import downloading
from tests.services.processes import running, wait_until
from tests.world import World, make_world

TICKS = os.sysconf("SC_CLK_TCK")
WORK = "10.5555/lantern.2021.0001"
FILE = "lantern/lantern-01.pdf"


@dataclass
class Shop:
    """``paths`` leads from a name to the address of a copy whose window is open, ``sizes`` to its bytes."""

    home: Path
    plain: Path
    port: int = 0
    pid: int = 0
    paths: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def workers(self) -> list[int]:
        """The processes that serve."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def spent(self) -> float:
        """Processor seconds of the serving process so far, with all its threads."""
        return sum(_cpu(pid) for pid in self.workers)

    @property
    def memory(self) -> int:
        """Bytes that the serving process holds for itself; mapped files are not among them."""
        total = 0
        for pid in self.workers:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
        return total

    def ask(self, what: str, path: str, count: int, port: int = 0, more: int = 0) -> dict[str, Any]:
        """Let a client process ask, on the server's port if no other is given; what it tells."""
        command = self.command(what, path, count, more, port)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def command(self, what: str, path: str, count: int, more: int, port: int = 0) -> list[str]:
        """How a client process is started."""
        numbers = [str(port or self.port), path, str(count), str(more)]
        return [sys.executable, "-m", "benchmarks.serving.client", what, *numbers]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextlib.contextmanager
def served(shop: Shop, **settings: str) -> Iterator[None]:
    """The installation served, with settings by their names without the prefix, in small letters."""
    own = {f"RUSHLIGHT_{name.upper()}": value for name, value in settings.items()}
    fixed = {"RUSHLIGHT_HOME": str(shop.home), "RUSHLIGHT_READER_PORT": "0", "RUSHLIGHT_STAFF_PORT": "0"}
    # One reader takes everything as fast as he can here.
    fixed |= {f"RUSHLIGHT_{name}_PACE": "" for name in ("READER", "LIBRARY", "TOKEN")}
    command = [sys.executable, "-m", "benchmarks.serving.server", str(shop.plain)]
    ready, log = shop.home / "serving.json", shop.home / "server.log"
    with running(command, Path.cwd(), log, {**os.environ, **fixed, **own}) as process:
        wait_until(ready.exists, process, log)
        told = json.loads(ready.read_text(encoding="utf-8"))
        shop.port, shop.pid = told["reader_port"], told["pid"]
        yield


def stocked(folder: Path, kept: Path, sources: dict[str, Path]) -> Shop:
    """An installation with one delivered copy of each source, the window of each open, and a plain file of the same bytes."""
    shop = Shop(folder / "home", folder / "plain")
    shop.plain.mkdir()
    made, collection = kept / "collection", folder / "collection"
    made.mkdir(exist_ok=True)
    build_collection(made)
    shutil.copytree(made, collection)
    world = make_world(shop.home, collection)
    world.clock.now = datetime.now(UTC)
    for name, source in sources.items():
        shutil.copyfile(source, collection / FILE)
        number = world.ask(doi=WORK).number
        world.work()
        shop.paths[name] = _window(world, number)
        data = world.copy(number)
        shop.sizes[name] = len(data)
        (shop.plain / name).write_bytes(data)
    world.services.engine.dispose()
    return shop


def _window(world: World, number: str) -> str:
    """Press the button; the path of the file."""
    token = world.ctx.links.sign(world.delivery(number).number)
    opened = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, world.reader)
    return f"/w/{opened.secret}/copy.pdf"
