"""Lists find what a plain look at every row finds, in the same sequence, however they go about it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from delivery.document_request import QueueFilter
from delivery.lifecycle import OPEN, State
from storage.engine import open_engine
from storage.migrating import migrate
from storage.models import RequestRow
from storage.requests import SqlRequests
from tests.storage.made_history import LIBRARIES, make_requests

SHOWN = {
    "open": OPEN,
    "desk": {State.AT_DESK},
    "approval": {State.NEW},
    "supplied": {State.SUPPLIED, State.EXPIRED},
    "closed": {State.UNFILLED, State.REFUSED, State.CANCELLED},
    "all": set(State),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else f"sqlite:///{tmp_path / 'l.db'}"
    engine = open_engine(url)
    migrate(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def expected(rows: list[RequestRow], wanted: QueueFilter) -> list[str]:
    """The numbers that a view shows, by its sequence."""
    found = [
        row
        for row in rows
        if row.state in SHOWN[wanted.view]
        and wanted.library_id in {"", row.library_id}
        and wanted.language in {"", row.language}
        and (wanted.view != "approval" or row.hold)
    ]
    found.sort(key=lambda row: row.number)
    if wanted.view in {"open", "desk", "approval"}:
        found.sort(key=lambda row: row.created_at)
    else:
        found.sort(key=lambda row: row.changed_at, reverse=True)
    return [row.number for row in found]


def test_every_view_of_the_queue_shows_the_same_as_a_look_at_every_request(session: Session) -> None:
    rows = make_requests(session, random.Random(7), 150)
    for view, library, language in itertools.product(SHOWN, ("", *LIBRARIES), ("", "zh")):
        wanted = QueueFilter(view, "", library, "", language, 7, 7)
        page, numbers = SqlRequests(session).queue(wanted), expected(rows, wanted)

        assert page.total == len(numbers), wanted
        assert [one.number for one in page.requests] == numbers[7:14], wanted
