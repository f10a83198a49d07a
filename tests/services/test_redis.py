"""The Redis of the tests speaks its protocol and is nobody else's."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit


def ask(url: str, *commands: str) -> list[str]:
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as connection:
        connection.sendall("".join(f"{command}\r\n" for command in commands).encode())
        with connection.makefile("r", encoding="utf-8", newline="\r\n") as answer:
            return [answer.readline().strip() for _ in commands]


def test_redis_counts_and_forgets_what_it_is_told_to(redis_url: str) -> None:
    assert ask(redis_url, "PING", "DEL opens", "INCR opens", "INCR opens", "DEL opens")[0:1] == ["+PONG"]
    assert ask(redis_url, "INCR opens", "INCR opens", "DEL opens", "EXISTS opens") == [":1", ":2", ":1", ":0"]
