"""A copy that is ready to be fetched from a server, and what fetches it."""

from __future__ import annotations

import email
import email.policy
import hashlib
import http.client
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from delivery.services import downloading
from tests.behaviours.test_link_promises import supplied
from tests.world import World, make_world

TAIL = 4_321


@dataclass(frozen=True)
class Answer:
    """What came back: the headers, and as much of the body as came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def parts(self) -> list[tuple[str, bytes]]:
        """Of an answer in several parts: what range each is, and its bytes."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        found = [(str(part["Content-Range"]), part.get_payload(decode=True)) for part in message.iter_parts()]
        return [(told, body) for told, body in found if isinstance(body, bytes)]


@dataclass(frozen=True)
class Shop:
    """One copy behind an open window of a running server: its port and path, and the bytes that must come."""

    port: int
    path: str
    data: bytes
    number: str = ""

    def fetch(self, method: str = "GET", most: int = -1, **headers: str) -> Answer:
        """One request on a connection of its own; underscores in names stand for hyphens. ``most``: hang up after that many bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            told = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, self.path, headers=told)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read() if most < 0 else answer.read(most))
        finally:
            connection.close()


def make_copy(folder: Path, collection: Path, size: int, **settings: str) -> tuple[World, str, bytes]:
    """An installation with one delivered copy of ``size`` bytes, the path of a window of it, and the bytes."""
    world = make_world(folder, collection, **settings)
    world.clock.now = datetime.now(UTC)
    delivery = supplied(world)
    data = random.Random(size).randbytes(size)
    (folder / "large").write_bytes(data[:-TAIL] + b"not part of any copy")
    blob = world.ctx.blobs.put("masters/large.pdf", folder / "large")
    (folder / "large").unlink()
    digest = hashlib.sha256(data).hexdigest()
    with world.store.write() as work:
        work.deliveries.save(replace(delivery, blob=blob.name, bytes=size, base_bytes=size - TAIL, sha256=digest))
        work.deliveries.put_tail(delivery.number, data[-TAIL:])
    return world, open_window(world, delivery.number), data


def open_window(world: World, number: str) -> str:
    """Press the button; the path of the file."""
    with world.store.read() as work:
        delivery = work.deliveries.get(number)
    token = world.ctx.links.sign(delivery.number)
    opened = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, world.reader)
    return f"/w/{opened.secret}/copy.pdf"
