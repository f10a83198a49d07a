"""Unpaywall, played by a loopback server that answers as the real one documents."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.sources import FetchFailed
from fetchers.http import GuardedHttp
from fetchers.unpaywall import Unpaywall
from tests.fetchers.bad_server import BadServer, head
from tests.fetchers.contract import FetcherContract, Subject
from tests.world import citation

WANTED = citation(doi="10.5555/open.1")


def saying(content: object) -> Callable[[socket.socket], None]:
    body = json.dumps(content).encode()
    return lambda to: to.sendall(head("200 OK", "Content-Type: application/json") + body)


def location(server: BadServer, path: str, **fields: object) -> dict[str, object]:
    return {"url_for_pdf": server.url(path), "version": "publishedVersion", "license": "cc-by", **fields}


def unpaywall(server: BadServer, client: GuardedHttp, content: object, email: str = "desk@example.org") -> Unpaywall:
    server.more["/v2/10.5555/open.1"] = saying(content)
    return Unpaywall("unpaywall", email, client, server.url("v2"))


class TestContract(FetcherContract):
    """The promises of every fetcher."""

    @pytest.fixture
    def subject(self, server: BadServer, client: GuardedHttp) -> Subject:
        """One open work, one that is not open, and one that the service does not know."""
        server.more["/v2/10.5555/closed"] = saying({"is_oa": False, "best_oa_location": None, "oa_locations": []})
        source = unpaywall(server, client, {"best_oa_location": location(server, "good")})
        return Subject(
            source, WANTED, (citation(doi="10.5555/closed"), citation(doi="10.5555/unknown"), citation(title="No DOI"))
        )


def test_the_best_location_is_taken_with_version_licence_and_host(
    server: BadServer, client: GuardedHttp, tmp_path: Path
) -> None:
    content = {"best_oa_location": location(server, "good", version="acceptedVersion", license="cc-by-nc")}

    fetched = unpaywall(server, client, content).fetch(WANTED, tmp_path / "f.pdf", time.monotonic() + 5)

    assert (fetched.version, fetched.licence, fetched.location) == ("accepted", "cc-by-nc", "127.0.0.1")
    assert fetched.open_access


def test_a_location_that_gives_a_login_page_is_passed_over(
    server: BadServer, client: GuardedHttp, tmp_path: Path
) -> None:
    content = {
        "best_oa_location": location(server, "login-page"),
        "oa_locations": [location(server, "login-page"), {"url_for_pdf": None}, location(server, "good-chunked")],
    }

    assert unpaywall(server, client, content).fetch(WANTED, tmp_path / "f.pdf", time.monotonic() + 5).bytes > 5_000


def test_when_every_location_fails_the_last_reason_is_told(
    server: BadServer, client: GuardedHttp, tmp_path: Path
) -> None:
    content = {"best_oa_location": location(server, "login-page"), "oa_locations": [location(server, "busy")]}

    with pytest.raises(FetchFailed) as failed:
        unpaywall(server, client, content).fetch(WANTED, tmp_path / "f.pdf", time.monotonic() + 5)

    assert failed.value.code == "server-error"


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "text",
        {},
        {"best_oa_location": "text", "oa_locations": {"a": 1}},
        {"best_oa_location": {"url_for_pdf": 7}, "oa_locations": [None, 1, {"url_for_pdf": ""}]},
        {"best_oa_location": {"url_for_pdf": "file:///etc/passwd"}},
        {"best_oa_location": {"url_for_pdf": "http://10.0.0.1/a.pdf"}},
    ],
)
def test_an_answer_of_any_shape_is_a_coded_failure(
    server: BadServer, client: GuardedHttp, tmp_path: Path, content: object
) -> None:
    with pytest.raises(FetchFailed) as failed:
        unpaywall(server, client, content).fetch(WANTED, tmp_path / "f.pdf", time.monotonic() + 5)

    assert failed.value.code in {"no-open-copy", "refused-address"}


def test_without_a_contact_address_it_is_off_and_asks_nobody(
    server: BadServer, client: GuardedHttp, tmp_path: Path
) -> None:
    source = unpaywall(server, client, {"best_oa_location": location(server, "good")}, email="")

    assert source.find(WANTED) is None
    with pytest.raises(FetchFailed) as failed:
        source.fetch(WANTED, tmp_path / "f.pdf", time.monotonic() + 5)
    assert failed.value.code == "source-off"
