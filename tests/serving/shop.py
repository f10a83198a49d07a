"""A copy that is ready to be fetched from a server, and what fetches it."""

from __future__ import annotations

import contextlib
import email
import email.policy
import hashlib
import http.client
import random
from collections.abc import Iterator, Mapping
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
    world: World
    number: str

    @property
    def digest(self) -> str:
        """What stands in the copy's tag."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def cache(self) -> Path:
        """Where copies are kept as files."""
        return self.world.services.settings.copies_folder

    @contextlib.contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        """A connection to the server."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            yield connection
        finally:
            connection.close()

    def fetch(
        self, method: str = "GET", most: int = -1, given: Mapping[str, str] | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own; underscores in names stand for hyphens. ``most``: hang up after so many bytes."""
        with self.connection() as connection:
            told = {**(given or {}), **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, self.path, headers=told)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read() if most < 0 else answer.read(most))

    def opens(self) -> int:
        """How many opens are counted."""
        with self.world.store.read() as work:
            return work.deliveries.get(self.number).opens_used


def make_shop(folder: Path, collection: Path, size: int, **settings: str) -> Shop:
    """An installation with one delivered copy of ``size`` bytes, a few of them its tail, and an open window; no server yet."""
    world = make_world(folder, collection, **settings)
    world.clock.now = datetime.now(UTC)
    delivery = supplied(world)
    data = random.Random(size).randbytes(size)
    (folder / "large").write_bytes(data[:-TAIL] + b"not part of any copy")
    blob = world.ctx.blobs.put("masters/large.pdf", folder / "large")
    (folder / "large").unlink()
    digest, base = (hashlib.sha256(part).hexdigest() for part in (data, data[:-TAIL]))
    published = replace(delivery, blob=blob.name, bytes=size, base_bytes=size - TAIL, sha256=digest, master=base)
    with world.store.write() as work:
        work.deliveries.save(published)
        work.deliveries.put_tail(delivery.number, data[-TAIL:])
    return Shop(0, open_window(world, delivery.number), data, world, delivery.number)


def open_window(world: World, number: str) -> str:
    """Press the button; the path of the file."""
    token = world.ctx.links.sign(number)
    opened = downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, world.reader)
    return f"/w/{opened.secret}/copy.pdf"
