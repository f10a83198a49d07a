"""The guarded client against a server that behaves well and in many bad ways: a PDF or a code, and never a leftover."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from delivery.sources import FetchFailed
from fetchers.http import GuardedHttp, Patience
from tests.faults.counts import HOSTILE_SOURCES, SOAK
from tests.fetchers.bad_server import BEHAVIOURS, PDF, BadServer, head

GOOD = {path.lstrip("/") for path in BEHAVIOURS if path.startswith("/good")} | {"relative"}
BAD = {
    "login-page": {"login-page"},
    "login-page-called-pdf": {"login-page"},
    "not-a-pdf": {"not-a-pdf"},
    "empty": {"not-a-pdf"},
    "too-short": {"truncated"},
    "cut-chunk": {"truncated"},
    "bad-chunk": {"truncated"},
    "two-lengths": {"network", "server-error"},
    "word-as-length": {"network", "server-error"},
    "negative-length": {"network", "server-error"},
    "declared-huge": {"too-large"},
    "gzip": {"server-error"},
    "gzip-bomb": {"server-error"},
    "deflate": {"server-error"},
    "brotli-lie": {"server-error"},
    "no-content": {"not-found"},
    "partial": {"not-found"},
    "unauthorised": {"login-page"},
    "forbidden": {"login-page"},
    "missing": {"not-found"},
    "gone": {"not-found"},
    "slow-down": {"rate-limited"},
    "broken": {"server-error"},
    "busy": {"server-error"},
    "no-http": {"network"},
    "nonsense-status": {"network"},
    "nul-in-header": {"network"},
    "huge-header": {"network"},
    "endless-informational": {"network", "timeout"},
    "closed-at-once": {"network"},
    "loop": {"bad-redirect"},
    "to-file": {"refused-address"},
    "to-ftp": {"refused-address"},
    "to-private": {"refused-address"},
    "to-metadata": {"refused-address"},
    "to-credentials": {"refused-address"},
    "to-other-port": {"refused-address"},
    "to-half-an-address": {"bad-redirect"},
    "to-nowhere": {"not-found", "bad-redirect"},
    "dripping-head": {"timeout"},
    "dripping-body": {"timeout"},
    "endless-body": {"too-large"},
    "silent": {"timeout"},
    "reset-in-the-middle": {"truncated"},
}
WAITED_FOR = {"dripping-head", "dripping-body", "silent"}
"""Each takes until its deadline: once in every run."""
TRY_AGAIN = {"timeout", "truncated", "network", "rate-limited", "broken", "busy"}


def soon() -> float:
    return time.monotonic() + 10


def test_every_behaviour_of_the_server_is_judged() -> None:
    assert GOOD | set(BAD) == {path.lstrip("/") for path in BEHAVIOURS}


@pytest.mark.parametrize("path", sorted(GOOD))
def test_a_pdf_arrives_whole(client: GuardedHttp, server: BadServer, tmp_path: Path, path: str) -> None:
    fetched = client.fetch_pdf(server.url(path), tmp_path / "file.pdf", soon())

    assert fetched.path.read_bytes().endswith(b"%%EOF\n")
    assert fetched.bytes == fetched.path.stat().st_size


@pytest.mark.parametrize("path", sorted(BAD))
def test_bad_manners_give_a_code_and_leave_nothing(
    client: GuardedHttp, server: BadServer, tmp_path: Path, path: str
) -> None:
    codes = set()
    for _ in range(1 if path in WAITED_FOR and not SOAK else HOSTILE_SOURCES.now):
        with pytest.raises(FetchFailed) as failed:
            client.fetch_pdf(server.url(path), tmp_path / "file.pdf", soon())
        codes.add(failed.value.code)

    assert codes <= BAD[path]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "permanent"),
    [("missing", True), ("busy", False), ("slow-down", False), ("silent", False), ("login-page", True)],
)
def test_the_failure_says_whether_trying_again_can_help(
    client: GuardedHttp, server: BadServer, tmp_path: Path, path: str, permanent: bool
) -> None:
    with pytest.raises(FetchFailed) as failed:
        client.fetch_pdf(server.url(path), tmp_path / "file.pdf", soon())

    assert failed.value.permanent is permanent


@pytest.mark.parametrize("path", ["dripping-head", "dripping-body"])
def test_a_server_that_drips_is_left_at_the_deadline(
    client: GuardedHttp, server: BadServer, tmp_path: Path, path: str
) -> None:
    begun = time.monotonic()

    with pytest.raises(FetchFailed):
        client.fetch_pdf(server.url(path), tmp_path / "file.pdf", begun + 0.5)

    assert time.monotonic() < begun + 30, "each byte renewed the patience"


def test_a_port_where_nobody_listens_is_a_network_failure(client: GuardedHttp, tmp_path: Path) -> None:
    lonely = GuardedHttp("tests", Patience(1, 1, 1), allowed=frozenset({("127.0.0.1", 9)}))

    with pytest.raises(FetchFailed) as failed:
        lonely.fetch_pdf("http://127.0.0.1:9/a.pdf", tmp_path / "file.pdf", soon())

    assert failed.value.code == "network"


def test_a_redirect_is_resolved_and_checked_anew(server: BadServer, tmp_path: Path) -> None:
    names = {"first.example": ["93.184.216.34"], "second.example": ["192.168.1.1"]}
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return names[host]

    server.more["/away"] = lambda to: to.sendall(head("302 Found", "Location: http://second.example/a.pdf"))
    client = GuardedHttp("tests", Patience(1, 1, 2), resolver=resolver, allowed=frozenset({("127.0.0.1", server.port)}))
    with pytest.raises(FetchFailed) as failed:
        client.fetch_pdf(server.url("away"), tmp_path / "file.pdf", soon())

    assert failed.value.code == "refused-address"
    assert asked == ["second.example"]


def test_an_address_that_only_the_library_below_cannot_read_is_refused(server: BadServer, tmp_path: Path) -> None:
    client = GuardedHttp("tests", Patience(1, 1, 2), allowed=frozenset({("127.0.0.1", server.port)}))

    for url in (server.url("good").replace("127", "\uff11\uff12\uff17"), server.url("good\x7f"), server.url("\ud800")):
        with pytest.raises(FetchFailed) as failed:
            client.fetch_pdf(url, tmp_path / "file.pdf", soon())
        assert (failed.value.code, failed.value.permanent) == ("refused-address", True)


@pytest.mark.parametrize("data", [b"{", b"[" * 200_000, b"\xff\xfe", b" " * 3_000_000])
def test_json_that_cannot_be_read_is_a_failure(client: GuardedHttp, server: BadServer, data: bytes) -> None:
    server.more["/json"] = lambda to: to.sendall(head("200 OK", "Content-Type: application/json") + data)

    with pytest.raises(FetchFailed):
        client.get_json(server.url("json"), soon())


def test_the_connection_goes_to_the_address_that_was_checked_under_the_name_that_was_asked_for(tmp_path: Path) -> None:
    """Who asks for the name again when connecting may get another answer."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(PDF))

    client = GuardedHttp("tests", Patience(1, 1, 2), resolver=lambda host, port: ["93.184.216.34"])
    client._client = httpx.Client(transport=httpx.MockTransport(answer))
    client.fetch_pdf("https://source.example/a.pdf", tmp_path / "file.pdf", soon())

    [request] = seen
    assert (request.url.host, request.headers["Host"]) == ("93.184.216.34", "source.example")
    assert request.extensions["sni_hostname"] == "source.example"
