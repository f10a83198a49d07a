"""No request is lost without a word: rows and the log must tell of the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fsck.planting import Used, make_used
from tests.services.databases import BOTH


@pytest.fixture(params=BOTH)
def any_used(request: pytest.FixtureRequest, tmp_path: Path, collection: Path) -> Iterator[Used]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    made = make_used(tmp_path / "home", collection, url)
    yield made
    made.world.close()


def vanish(used: Used, number: str) -> None:
    """Take a request away with all that names it, as somebody with the database in hand can."""
    used.sql("DELETE FROM ledger WHERE claim = :claim", claim=f"{number}/1")
    for table in ("usage_records", "deliveries", "requests"):
        column = "number" if table == "requests" else "request"
        used.sql(f"DELETE FROM {table} WHERE {column} = :number", number=number)


def test_requests_without_row_or_without_event_are_named(any_used: Used) -> None:
    used = any_used
    used.world.bind("collection", ["open"])
    used.world.bind("desk", ["open"])
    gone = used.world.ask(title="Nobody has this other one", year="2019").number
    used.world.work()
    assert used.found() == []

    vanish(used, gone)
    used.sql("CREATE TABLE forged AS SELECT * FROM requests WHERE number = :one", one=used.at_desk)
    used.sql("UPDATE forged SET number = 'TR-FORG-FORG'")
    used.sql("INSERT INTO requests SELECT * FROM forged")

    told = {(one.code, one.ids.get("request")) for one in used.found()}
    assert told >= {("request-vanished", gone), ("request-without-event", "TR-FORG-FORG")}
