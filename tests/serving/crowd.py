"""Many readers at once, in one thread: each counts what it gets, and some look at it."""

from __future__ import annotations

import hashlib
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.serving.shop import Shop

PIECE = 1 << 20


@dataclass(eq=False)
class _Reader:
    sock: socket.socket
    looks: bool
    got: int = 0
    head: bytes = b""
    digest: object = field(default_factory=hashlib.sha256)

    def take(self, data: memoryview) -> None:
        if not self.got:
            self.head += bytes(data)
            _, found, after = self.head.partition(b"\r\n\r\n")
            if not found:
                return
            data = memoryview(after)
        self.got += len(data)
        if self.looks:
            self.digest.update(data)  # type: ignore[attr-defined]


def download_all(shop: Shop, readers: int, meanwhile: Callable[[], None], look_at: int = 3) -> list[tuple[int, str]]:
    """Let ``readers`` fetch the copy at the same time: how many bytes each got, and of the first few the SHA-256.

    ``meanwhile`` is called again and again until all have come to their end.
    """
    selector = selectors.DefaultSelector()
    crowd = [_Reader(socket.create_connection(("127.0.0.1", shop.port)), place < look_at) for place in range(readers)]
    for reader in crowd:
        asked = f"GET {shop.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        reader.sock.sendall(asked.encode())
        selector.register(reader.sock, selectors.EVENT_READ, reader)
    room = memoryview(bytearray(PIECE))
    while selector.get_map():
        meanwhile()
        for key, _ in selector.select(60):
            length = key.data.sock.recv_into(room)
            if length:
                key.data.take(room[:length])
            else:
                selector.unregister(key.data.sock)
                key.data.sock.close()
    selector.close()
    return [(reader.got, reader.digest.hexdigest() if reader.looks else "") for reader in crowd]  # type: ignore[attr-defined]
