"""Witnesses over real HTTP: an installation that answers as it does in production, and one that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer

from werkzeug.serving import make_server

from delivery.log_places import Place
from drm.audit.notes import COSIGNED, Signer
from fetchers.log_witness import WitnessPlace
from tests.world import World

STRANGER = Signer("partner.example/log/witness", b"\3" * 32, COSIGNED)
AGENT = "Rushlight (test)"


def uses(world: World, *places: Place) -> None:
    """Let a log bring its checkpoints to these places."""
    keys = tuple(place.verifier for place in places if isinstance(place, WitnessPlace))
    world.ctx = replace(world.ctx, log=replace(world.ctx.log, places=places, witnesses=keys))


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def witnessing(witness: World, world: World) -> Iterator[WitnessPlace]:
    """The place where ``witness`` witnesses the log of ``world``."""
    witness.ctx = replace(witness.ctx, log=replace(witness.ctx.log, witnessed=world.ctx.log.keys.verifiers))
    server = make_server("127.0.0.1", 0, witness.reader_app(), threaded=True)
    with serving(server):
        url = f"http://127.0.0.1:{server.server_port}/log"
        yield WitnessPlace(url, witness.ctx.log.keys.witness.verifier, AGENT)


@dataclass
class Told:
    """Answers one after another, the last again and again: status, kind and body. ``asked`` are the bodies that came."""

    answers: list[tuple[int, str, bytes]]
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def answering(told: Told) -> Iterator[WitnessPlace]:
    """The place of a witness that answers as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            status, kind, body = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield WitnessPlace(f"http://127.0.0.1:{server.server_port}/log", STRANGER.verifier, AGENT)
