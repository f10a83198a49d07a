"""The reader's side, a process of its own: python -m benchmarks.serving.client WHAT PORT PATH COUNT [MORE]; JSON on stdout.

``fetch`` reads a file COUNT times on one connection, ``crowd`` COUNT times on MORE connections at once, ``first`` tells when the
first byte of the body came, ``hold`` begins COUNT downloads at once, reads MORE bytes of each and keeps them open until its input ends.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable

ROOM = 64 * 1024
PATIENCE = 20.0


def fetch(port: int, path: str, count: int, more: int) -> dict[str, float]:
    """Read a file again and again on one kept connection; how many bytes came, in what time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    start, total = time.monotonic(), 0
    for _ in range(count):
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"{path} was answered with {answer.status}")
        while piece := answer.read(1 << 20):
            total += len(piece)
    return {"bytes": total, "seconds": time.monotonic() - start}


def crowd(port: int, path: str, count: int, more: int) -> dict[str, float]:
    """Read a file on several kept connections at once until it came so often; how many bytes came, in what time."""
    turns, room, got = iter(range(count)), threading.local(), []

    def read() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        room.bytes = memoryview(bytearray(1 << 18))
        for _ in turns:  # one iterator for all: each takes the next turn that is left
            connection.request("GET", path)
            answer, total = connection.getresponse(), 0
            while length := answer.readinto(room.bytes):
                total += length
            got.append(total if answer.status == 200 else -1)
        connection.close()

    start, threads = time.monotonic(), [threading.Thread(target=read) for _ in range(more)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(got) != count or min(got) < 0:
        raise SystemExit(f"{path} was not answered each time")
    return {"bytes": sum(got), "seconds": time.monotonic() - start}


def first(port: int, path: str, count: int, more: int) -> dict[str, list[float]]:
    """Ask on a new connection, wait for the first byte, hang up."""
    waits = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        start = time.monotonic()
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != 200 or not answer.read(1):
            raise SystemExit(f"{path} was answered with {answer.status}")
        waits.append(time.monotonic() - start)
        connection.close()
    return {"waits": waits}


def _begun(port: int, path: str, room: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.settimeout(PATIENCE)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    return connection


def hold(port: int, path: str, count: int, more: int) -> dict[str, float]:
    """Begin downloads, read a part of each by turns, tell that all are under way, and wait for the end of the input."""
    open_ = [_begun(port, path, ROOM if more >= ROOM else 4096) for _ in range(count)]
    served, end = 0, time.monotonic() + PATIENCE
    for connection in open_:
        left = more
        try:
            while left > 0:
                connection.settimeout(max(0.01, end - time.monotonic()))
                left -= len(connection.recv(min(left, 1 << 16))) or left
            served += 1
        except TimeoutError:
            continue
    print(json.dumps({"served": served}), flush=True)
    sys.stdin.read()
    for connection in open_:
        connection.close()
    return {"served": served}


WHAT: dict[str, Callable[[int, str, int, int], object]] = {"fetch": fetch, "crowd": crowd, "first": first, "hold": hold}

if __name__ == "__main__":
    told = WHAT[sys.argv[1]](int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    if sys.argv[1] != "hold":
        print(json.dumps(told))
