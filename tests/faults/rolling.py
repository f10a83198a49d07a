"""What flows while processes are restarted one after the other: slow downloads, and requests that are asked with a key."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import json
import math
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pikepdf

from tests.services.production import Production, kill
from tests.services.rushlight_server import anonymous

SECONDS = 120
SIP = 64 * 1024
PAUSE = 0.04
"""A reader takes a piece of this size and waits so long: 1.5 MB a second at most."""


def large_article(folder: Path, size: int) -> None:
    """Give a folder of articles one more, 10.5555/large, of about ``size`` bytes, nearly all of them a picture of noise."""
    head, *lines = (folder / "holdings.tsv").read_text(encoding="utf-8").splitlines()
    side = int((size / 3) ** 0.5)
    with pikepdf.open(folder / "0.pdf") as pdf:
        noise = pdf.make_stream(
            random.Random(size).randbytes(side * side * 3), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image,
            Width=side, Height=side, ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8,
        )  # fmt: skip
        name = pdf.pages[0].add_resource(noise, pikepdf.Name.XObject)
        pdf.pages[0].contents_add(f"q 20 0 0 20 10 10 cm {name} Do Q".encode())
        pdf.save(folder / "large.pdf", compress_streams=False)
    large = lines[0].replace("0.pdf", "large.pdf").replace("10.5555/many.0", "10.5555/large")
    (folder / "holdings.tsv").write_text("\n".join([head, *lines, large]) + "\n", encoding="utf-8")


class Fleet:
    """The processes of an installation by their names, each of which can be restarted as its unit does it."""

    def __init__(self, installed: Production) -> None:
        self.installed = installed
        self.stopped: Counter[str] = Counter()
        """How often each process was told to stop."""
        self._running: dict[str, tuple[contextlib.ExitStack, subprocess.Popen[bytes]]] = {}

    @staticmethod
    def kind(name: str) -> str:
        """The command of a process."""
        return "serve" if name.startswith("web") else "worker"

    def start(self, name: str) -> None:
        """Start a process; returns when it is ready."""
        stack = contextlib.ExitStack()
        self._running[name] = (stack, stack.enter_context(self.installed.process(self.kind(name), name)))

    def restart(self, name: str) -> None:
        """SIGTERM to the main process, wait for its end, start it anew."""
        stack, process = self._running[name]
        self.stopped[name] += 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0, f"{name} ended with {process.returncode}"
        stack.close()
        self.start(name)

    def kill(self, name: str) -> None:
        """kill -9 of a process and of all that it started, and start it anew."""
        stack, process = self._running[name]
        self.stopped[name] += 1
        kill(process)
        stack.close()
        self.start(name)

    def memory(self, name: str) -> int:
        """Bytes that a process and its children hold for themselves; files that they have mapped are not among them."""
        pid = self._running[name][1].pid
        held = anonymous(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):  # each with the thread that started it
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
                held += sum(anonymous(int(child)) for child in children.read_text(encoding="ascii").split())
        return held

    def close(self) -> None:
        """End all."""
        for stack, _ in self._running.values():
            stack.close()


class Flow:
    """Readers who download slowly and one who asks, at whichever web process lets them in, as behind a proxy."""

    def __init__(
        self,
        fleet: Fleet,
        webs: tuple[str, ...],
        told: dict[str, str],
        path: str = "",
        data: bytes = b"",
        readers: int = 0,
        articles: int = 1_000,
        pause: float = 1.0,
        first: int = 0,
    ) -> None:
        self._articles, self._pause, self._first = articles, pause, first
        self.fleet, self._webs, self._path, self._told = fleet, webs, path, told
        self._digest = hashlib.sha256(data).digest()
        self.whole, self.across, self.under_way = 0, 0, Counter[str]()
        self.broken, self.numbers = list[str](), list[str]()
        self._end, self._lock = threading.Event(), threading.Lock()
        self._in_doubt, self._patience = False, math.inf
        work: list[Callable[[], None]] = [self._ask, *[self._download] * readers]
        self._threads = [threading.Thread(target=each) for each in work]
        for thread in self._threads:
            thread.start()

    def _connections(
        self, goes_on: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[str, http.client.HTTPConnection]]:
        """Connections to processes that let us in, again and again, until the end; behind it while somebody ``goes_on``."""
        for name in itertools.cycle(random.sample(self._webs, len(self._webs))):
            if self._end.is_set() and not goes_on():
                return
            with contextlib.suppress(OSError, ValueError, KeyError):  # its address is being written, or nobody listens
                to = urlsplit(self.fleet.installed.address(name))
                with contextlib.closing(http.client.HTTPConnection("127.0.0.1", to.port or 0)) as connection:
                    connection.sock = socket.socket()
                    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SIP)
                    connection.sock.settimeout(30)
                    connection.sock.connect((to.hostname, to.port))
                    yield name, connection
            time.sleep(0.02)

    def _download(self) -> None:
        for name, connection in self._connections():
            before = self.fleet.stopped[name]
            with contextlib.suppress(OSError, http.client.RemoteDisconnected):
                connection.request("GET", self._path, headers={"Host": "127.0.0.1"})
                self._sip(name, before, connection.getresponse())

    def _sip(self, name: str, before: int, answer: http.client.HTTPResponse) -> None:
        with self._lock:
            self.under_way[name] += 1
        digest = hashlib.sha256()
        try:
            while piece := answer.read(SIP):
                digest.update(piece)
                if not self._end.is_set():
                    time.sleep(PAUSE)
            if answer.status != 200 or digest.digest() != self._digest:
                self.broken.append(f"{name}: {answer.status}, other bytes")
        except (OSError, http.client.HTTPException) as error:
            self.broken.append(f"{name}: {error!r}")
        with self._lock:
            self.under_way[name] -= 1
            self.whole += 1
            self.across += self.fleet.stopped[name] > before

    def _asks_again(self) -> bool:
        """Whether nobody knows what became of the last question: its answer was lost, or it was refused for now."""
        return self._in_doubt and time.monotonic() < self._patience

    def _ask(self) -> None:
        for name, connection in self._connections(self._asks_again):
            at, begun = self._first + len(self.numbers), time.monotonic()
            doi = f"10.5555/many.{at // 2 % self._articles}"  # each twice: the second time its document is prepared
            body = json.dumps({"citation": {"doi": doi}, "deliberate": True})
            headers = {
                **self._told,
                "Host": "127.0.0.1",
                "Content-Type": "application/json",
                "Idempotency-Key": f"key-{at}",
            }
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._in_doubt = True
                connection.request("POST", "/api/v1/requests", body, headers)
                answer = connection.getresponse()
                content = answer.read()
                self._in_doubt = answer.status == 503
                if answer.status == 202:
                    self.numbers.append(str(json.loads(content)["number"]))
                    self._end.wait(max(0.0, begun + self._pause - time.monotonic()))
                elif answer.status != 503:
                    self.broken.append(f"{name}: {answer.status} {content[:200]!r}")

    def wait_for_download(self, name: str) -> None:
        """Until a download from this process is under way."""
        end = time.monotonic() + SECONDS
        while not self.under_way[name] and time.monotonic() < end:
            time.sleep(0.02)
        assert self.under_way[name], f"nobody downloads from {name}"

    def close(self) -> None:
        """Begin nothing more; what is under way is taken to its end."""
        self._patience = time.monotonic() + SECONDS / 2
        self._end.set()
        for thread in self._threads:
            thread.join(SECONDS)
