"""A proxy on loopback that lets a store's answers through, breaks some of them off, spoils some, or answers for the store."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

METHODS = (b"GET ", b"PUT ", b"HEAD ", b"POST ", b"DELETE ")
REFUSAL = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class CuttingProxy:
    """Passes bytes on. Of the next ``cuts`` answers to a GET only ``after`` bytes arrive. ``ranges`` are what GETs asked for.

    The next ``refusals`` requests are answered 503 and the connection is closed; every request waits ``delay`` seconds; of the
    next ``spoils`` answers to a GET the last byte of some piece is another. ``done`` counts cuts, refusals and spoils.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.cuts, self.after, self.done = 0, 0, 0
        self.refusals, self.spoils, self.delay = 0, 0, 0.0
        self.ranges: list[str] = []
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server, contextlib.suppress(OSError):
            state = {"left": -1, "spoil": 0}
            back = threading.Thread(target=self._back, args=(server, client, state), daemon=True)
            back.start()
            while data := client.recv(65_536):
                if data.startswith(b"GET "):
                    asked = re.search(rb"(?im)^range: *(.+?)\r?$", data)
                    self.ranges.append(asked[1].decode() if asked else "")
                if self.delay and data.startswith(METHODS):
                    time.sleep(self.delay)
                if self.refusals > 0 and data.startswith(METHODS):
                    self.refusals -= 1
                    self.done += 1
                    client.sendall(REFUSAL)
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if data.startswith(b"GET ") and self.spoils > 0:
                    self.spoils -= 1
                    state["spoil"] = 1
                if data.startswith(b"GET ") and self.cuts > 0:
                    self.cuts -= 1
                    state["left"] = self.after
                server.sendall(data)

    def _back(self, server: socket.socket, client: socket.socket, state: dict[str, int]) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                if state["spoil"] and len(data) > 2_000:
                    state["spoil"] = 0
                    self.done += 1
                    data = data[:-1] + bytes([data[-1] ^ 1])
                if 0 <= state["left"] < len(data):
                    client.sendall(data[: state["left"]])
                    self.done += 1
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if state["left"] >= 0:
                    state["left"] -= len(data)
                client.sendall(data)


@contextlib.contextmanager
def cutting_proxy(upstream: str) -> Iterator[CuttingProxy]:
    """A proxy before ``upstream``, closed afterwards."""
    proxy = CuttingProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
