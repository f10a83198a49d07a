"""What the serving process logs of requests that are no HTTP: that they came, and nothing that stood in them."""

from __future__ import annotations

import json
import logging
import socket
from pathlib import Path

import pytest
import structlog
from gunicorn.config import Config

from admin.serving_log import ServerLog
from tests.services.rushlight_server import rushlight_server
from tests.world import make_world

BROKEN = {
    "InvalidHeader": b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization Bearer canary-token\r\n\r\n",
    "InvalidRequestLine": b"GET /w/canary-\xc3\xa9/x \r\n\r\n",
    "InvalidRequestMethod": b"canary-m /w/canary-window/x HTTP/1.1\r\n\r\n",
}
CHUNKED = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
CHUNKED += b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncanary-chunk\r\nx\r\n0\r\n\r\n"


def say(port: int, request: bytes) -> str:
    """The first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        return connection.recv(65536).decode("latin-1").split("\r\n")[0]


@pytest.fixture
def home(tmp_path: Path, collection: Path) -> Path:
    make_world(tmp_path / "home", collection).close()
    return tmp_path / "home"


def test_what_is_no_http_is_400_and_its_words_and_address_are_not_logged(home: Path) -> None:
    with rushlight_server(home) as served:
        answers = [say(served.port, request) for request in (*BROKEN.values(), CHUNKED)]
    log = (home / "server.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]

    assert all(answer.startswith("HTTP/1.1 400") for answer in answers), answers
    assert "canary" not in log
    assert all("127.0.0.1" not in str(line) for line in lines)
    assert {line["error"] for line in lines if line.get("what") == "Invalid request from ip"} >= set(BROKEN)


@pytest.mark.parametrize(
    ("message", "given", "what", "numbers"),
    [
        ("WORKER TIMEOUT (pid:%s)", (17,), "WORKER TIMEOUT (pid:%s)", [17]),
        ("Error handling request %s %s", ("GET", "/d/canary"), "Error handling request %s %s", None),
        ("Invalid request from ip=192.0.2.7: Invalid HTTP Header: 'canary'", (), "Invalid request from ip", None),
        ("canary-first", (), "", None),
        (ValueError("canary"), (), "", None),
    ],
)
def test_only_fixed_words_and_numbers_of_a_message_are_logged(
    message: object, given: tuple[object, ...], what: str, numbers: list[int] | None
) -> None:
    log = ServerLog(Config())
    with structlog.testing.capture_logs() as heard:
        try:
            raise RuntimeError("canary in an error")
        except RuntimeError:
            log.exception(message, *given)
        log.log(logging.DEBUG, "canary")

    assert "canary" not in str(heard)
    assert [(line["what"], line.get("numbers"), line["error"]) for line in heard] == [(what, numbers, "RuntimeError")]
