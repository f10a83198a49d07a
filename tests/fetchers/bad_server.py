"""An HTTP server on loopback with good and bad manners: each path is one of them, written byte by byte."""

from __future__ import annotations

import contextlib
import gzip
import socket
import socketserver
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator

PDF = b"%PDF-1.7\n" + b"x" * 5_000 + b"\n%%EOF\n"
Behaviour = Callable[[socket.socket], None]
BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(made: Behaviour) -> Behaviour:
    """Serve this under its own name."""
    BEHAVIOURS["/" + made.__name__.replace("_", "-")] = made
    return made


def head(status: str = "200 OK", *lines: str) -> bytes:
    """A head with its closing line."""
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *lines, "", ""]).encode("latin-1")


def fixed(name: str, *parts: bytes) -> None:
    """A behaviour that sends these bytes and closes."""
    BEHAVIOURS["/" + name] = lambda to: to.sendall(b"".join(parts))


def drip(to: socket.socket, data: bytes) -> None:
    """One byte in a while, for ever or until the other side has had enough."""
    with contextlib.suppress(OSError):
        for place in range(1_000_000):
            to.sendall(data[place % len(data) :][:1])
            time.sleep(0.05)


TYPED = "Content-Type: application/pdf"
LONG = f"Content-Length: {len(PDF)}"
fixed("good", head("200 OK", TYPED, LONG), PDF)
fixed("good-without-length", head("200 OK", TYPED), PDF)
fixed("good-untyped", head("200 OK", "Content-Type: application/octet-stream", LONG), PDF)
fixed("good-chunked", head("200 OK", "Transfer-Encoding: chunked"), b"%x\r\n" % len(PDF), PDF, b"\r\n0\r\n\r\n")
fixed("good-after-junk", head("200 OK", TYPED), b"\n" * 300, PDF)
fixed("good-identity", head("200 OK", TYPED, LONG, "Content-Encoding: identity"), PDF)
fixed("good-after-100", b"HTTP/1.1 100 Continue\r\n\r\n", head("200 OK", TYPED, LONG), PDF)

fixed("login-page", head("200 OK", "Content-Type: text/html"), b"<!DOCTYPE html><title>Sign in</title>" * 50)
fixed("login-page-called-pdf", head("200 OK", TYPED), b"\n\n <HTML><head><title>Sign in</title>" * 50)
fixed("not-a-pdf", head("200 OK", TYPED), b"PK\x03\x04" + b"z" * 3000)
fixed("empty", head("200 OK", TYPED, "Content-Length: 0"))
fixed("too-short", head("200 OK", TYPED, "Content-Length: 900000"), PDF)
fixed("cut-chunk", head("200 OK", "Transfer-Encoding: chunked"), b"ffff\r\n", PDF)
fixed("bad-chunk", head("200 OK", "Transfer-Encoding: chunked"), b"zz\r\n", PDF)
fixed("two-lengths", head("200 OK", LONG, "Content-Length: 7"), PDF)
fixed("word-as-length", head("200 OK", "Content-Length: many"), PDF)
fixed("negative-length", head("200 OK", "Content-Length: -5"), PDF)
fixed("declared-huge", head("200 OK", TYPED, "Content-Length: 99999999999"), PDF)
fixed("gzip", head("200 OK", TYPED, "Content-Encoding: gzip"), gzip.compress(PDF))
fixed("gzip-bomb", head("200 OK", TYPED, "Content-Encoding: gzip"), gzip.compress(b"\0" * 30_000_000))
fixed("deflate", head("200 OK", TYPED, "Content-Encoding: deflate"), zlib.compress(PDF))
fixed("brotli-lie", head("200 OK", TYPED, "Content-Encoding: br"), PDF)
fixed("no-content", head("204 No Content"))
fixed("partial", head("206 Partial Content", TYPED, "Content-Range: bytes 0-9/5000", "Content-Length: 10"), PDF[:10])
fixed("unauthorised", head("401 Unauthorized", "Content-Length: 0"))
fixed("forbidden", head("403 Forbidden", "Content-Length: 0"))
fixed("missing", head("404 Not Found", "Content-Length: 0"))
fixed("gone", head("410 Gone", "Content-Length: 0"))
fixed("slow-down", head("429 Too Many Requests", "Retry-After: 60", "Content-Length: 0"))
fixed("broken", head("500 Internal Server Error", "Content-Length: 0"))
fixed("busy", head("503 Service Unavailable", "Content-Length: 0"))
fixed("no-http", b"SSH-2.0-OpenSSH_9.2\r\n")
fixed("nonsense-status", b"HTTP/1.1 abc OK\r\n\r\n")
fixed("nul-in-header", b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n", PDF)
fixed("huge-header", b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 400_000, b"\r\n\r\n", PDF)
fixed("endless-informational", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50_000)
fixed("closed-at-once")
fixed("loop", head("302 Found", "Location: /loop", "Content-Length: 0"))
fixed("to-file", head("302 Found", "Location: file:///etc/passwd", "Content-Length: 0"))
fixed("to-ftp", head("302 Found", "Location: ftp://example.org/a.pdf", "Content-Length: 0"))
fixed("to-private", head("302 Found", "Location: http://10.0.0.1/a.pdf", "Content-Length: 0"))
fixed("to-metadata", head("301 Moved", "Location: http://169.254.169.254/latest/", "Content-Length: 0"))
fixed("to-credentials", head("302 Found", "Location: http://a:b@example.org/", "Content-Length: 0"))
fixed("to-other-port", head("302 Found", "Location: http://127.0.0.1:22/", "Content-Length: 0"))
fixed("to-half-an-address", head("302 Found", "Location: http://[", "Content-Length: 0"))
fixed("to-nowhere", head("302 Found", "Content-Length: 0"))
fixed("relative", head("302 Found", "Location: good", "Content-Length: 0"))


@behaviour
def dripping_head(to: socket.socket) -> None:
    """A head that never ends."""
    drip(to, b"HTTP/1.1 200 OK\r\nX-Wait: " + b"a" * 900_000)


@behaviour
def dripping_body(to: socket.socket) -> None:
    """A body of one byte at a time."""
    to.sendall(head("200 OK", TYPED))
    drip(to, PDF)


@behaviour
def endless_body(to: socket.socket) -> None:
    """More than anybody takes."""
    to.sendall(head("200 OK", TYPED) + PDF)
    with contextlib.suppress(OSError):
        for _ in range(10_000):
            to.sendall(b"\0" * 65_536)


@behaviour
def silent(to: socket.socket) -> None:
    """Takes the request and says nothing."""
    time.sleep(3)


@behaviour
def reset_in_the_middle(to: socket.socket) -> None:
    """Begins well and then resets the connection."""
    to.sendall(head("200 OK", TYPED, LONG) + PDF[:1000])
    to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data = b""
        while b"\r\n\r\n" not in data and (piece := self.request.recv(4096)):
            data += piece
        words = data.split()
        path = words[1].decode("latin-1").partition("?")[0] if len(words) > 1 else ""
        served: dict[str, Behaviour] = {**BEHAVIOURS, **self.server.more}  # type: ignore[attr-defined]  # set below
        with contextlib.suppress(OSError):
            served.get(path, BEHAVIOURS["/missing"])(self.request)


class BadServer(socketserver.ThreadingTCPServer):
    """Serves all behaviours, and those in ``more``, on a free port."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.more: dict[str, Behaviour] = {}

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def url(self, path: str) -> str:
        """The address of a behaviour."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has had enough is no error here."""


@contextlib.contextmanager
def bad_server() -> Iterator[BadServer]:
    """The running server."""
    with BadServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
