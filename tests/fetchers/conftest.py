"""A badly mannered server, and a client that may go there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fetchers.http import GuardedHttp, Patience
from tests.fetchers.bad_server import BadServer, bad_server


@pytest.fixture(scope="session")
def server() -> Iterator[BadServer]:
    """All behaviours."""
    with bad_server() as running:
        yield running


@pytest.fixture
def client(server: BadServer) -> GuardedHttp:
    """The guarded client, impatient, with loopback allowed at this one port."""
    allowed = frozenset({("127.0.0.1", server.port)})
    return GuardedHttp("tests", Patience(1, 0.7, 1.5), most_bytes=2_000_000, allowed=allowed)
