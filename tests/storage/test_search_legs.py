"""Searches that go leg by leg: together they show what a plain look at every row finds, and no leg reads more rows than it may."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from delivery.document_request import QueueFilter
from delivery.lifecycle import State
from delivery.lists import LogPage, RequestPage
from delivery.searching import Leg, Place, Reach
from delivery.stores import LogFilter
from storage.audit_log import SqlUsageLog
from storage.models import EventRow, RequestRow
from storage.requests import SqlRequests
from tests.storage.made_history import LIBRARIES, START, make_events, make_requests
from tests.storage.test_lists import expected, fits

STEPS = (9, 20, 50)
FIRST = Leg(steps=STEPS)
ASKED = ("tidal", "DNA", "潮汐", "泥沙的记忆", "100%", "%", "_", "co_op", "O'Brien", "\\", "nowhere")
Page = Callable[[Leg], tuple[list[Any], Reach | None]]


def queue_of(session: Session, wanted: QueueFilter) -> Page:
    def page(leg: Leg) -> tuple[list[Any], Reach | None]:
        found: RequestPage = SqlRequests(session).queue(wanted, leg)
        return [one.number for one in found.requests], found.reach

    return page


def log_of(session: Session, wanted: LogFilter) -> Page:
    def page(leg: Leg) -> tuple[list[Any], Reach | None]:
        found: LogPage = SqlUsageLog(session).search(wanted, leg)
        return [one.seq for one in found.entries], found.reach

    return page


def walked(page: Page) -> tuple[list[Any], list[Any]]:
    """What is shown on the way to the beginning, and what on the way back from there to the newest."""
    there: list[Any] = []
    back: list[Any] = []
    leg: Leg | None = FIRST
    while leg is not None:
        found, reach = page(leg)
        assert reach is not None
        there, leg, last = [*there, *found], reach.older, reach
    back, leg = found, last.newer
    while leg is not None:
        found, reach = page(leg)
        assert reach is not None
        back, leg = [*found, *back], reach.newer
    return there, back


def has(words: str, *texts: str) -> bool:
    return any(words.lower() in text.lower() for text in texts)


@pytest.mark.parametrize("moments", [1, 3, 200])
def test_all_legs_of_a_search_show_each_request_once_in_sequence_there_and_back(session: Session, moments: int) -> None:
    chance = random.Random(moments)
    rows = make_requests(session, chance, 150)
    for row in rows:
        row.changed_at = START + timedelta(microseconds=chance.randrange(moments))
    session.flush()
    for view, library, words in itertools.product(("supplied", "closed", "all"), ("", *LIBRARIES), ASKED):
        wanted = QueueFilter(view, words, library, limit=4)
        numbers = expected([row for row in rows if has(words, row.title)], wanted)

        assert walked(queue_of(session, wanted)) == (numbers, numbers), wanted


def test_all_legs_of_a_language_show_each_request_once(session: Session) -> None:
    rows = make_requests(session, random.Random(4), 80)
    wanted = QueueFilter("all", "", "south", language="zh", limit=4)

    assert walked(queue_of(session, wanted)) == (expected(rows, wanted), expected(rows, wanted))


def test_all_legs_of_a_search_of_the_log_show_each_event_once_there_and_back(session: Session) -> None:
    chance = random.Random(9)
    requests = make_requests(session, chance, 30)
    events = make_events(session, chance, requests, 300)
    named = {row.number: (row.title, row.container) for row in requests}
    days = [None, *(START + timedelta(hours=hours) for hours in (-24, 24, 60, 999))]
    whole = itertools.product(
        (*ASKED[:6], ""), ("", "copy:supplied"), ("", "north"), ("", "limited"), ("", "reader"), days, days
    )
    rare = [one for one in whole if one[0] or one[3] or (one[1] and one[2]) or one[4]]
    for title, kind, library, agreement, reader, since, until in chance.sample(rare, 80):
        wanted = LogFilter(agreement, 2, title, library, reader, kind, "", since, until, limit=4)
        found = [one for one in reversed(events) if fits(one, "", wanted)]
        numbers = [one.seq for one in found if not title or has(title, *named.get(one.request, ("", "")))]

        assert walked(log_of(session, wanted)) == (numbers, numbers), wanted


def read_by(session: Session, ask: Callable[[], object]) -> int:
    """How many rows of long tables the database has to look at for this, whatever it then shows of them."""
    sent: list[tuple[str, Any]] = []
    connection = session.connection()
    event.listen(connection.engine, "before_cursor_execute", lambda *given: sent.append((given[2], given[3])))
    if connection.dialect.name == "sqlite":
        looked = 0

        def lower(text: str) -> str:
            nonlocal looked
            looked += 1
            return text.lower()

        connection.connection.driver_connection.create_function("lower", 1, lower)  # type: ignore[union-attr]  # sqlite3's own
        ask()
        return looked
    ask()
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    plans = [
        connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", given).scalar_one()
        for text, given in tuple(sent)
        if "LIMIT" in text
    ]
    return sum(_rows(plan[0]["Plan"]) for plan in plans)


def _rows(plan: dict[str, Any]) -> int:
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return int(own * plan["Actual Loops"]) + sum(_rows(one) for one in plan.get("Plans", ()))


def test_a_leg_of_the_queue_reads_no_more_rows_than_it_may(session: Session) -> None:
    make_requests(session, random.Random(2), 400)
    page = queue_of(session, QueueFilter("all", "nowhere"))

    # The end of the leg is found along the index, and its rows are read then; each state's index is entered once more.
    assert read_by(session, lambda: page(FIRST)) <= 2 * STEPS[0] + 2 * len(State)


def test_a_leg_of_the_log_reads_no_more_rows_than_it_may(session: Session) -> None:
    chance = random.Random(2)
    make_events(session, chance, make_requests(session, chance, 300), 900)
    page = log_of(session, LogFilter(title="nowhere"))

    # Each event leads to its request, whose title and journal are looked at.
    assert read_by(session, lambda: page(FIRST)) <= 4 * STEPS[0] + 2


def test_of_two_filters_the_one_that_leads_furthest_back_is_walked(session: Session) -> None:
    make_requests(session, random.Random(2), 0)
    for seq in range(1, 60):
        event = {"kind": "copy:supplied", "library_id": "south" if seq < 5 else "north", "actor": "system"}
        session.add(EventRow(seq=seq, kept=b"{}", chain=b"", at=START, request="", **event))
    session.flush()
    wanted = LogFilter(library_id="south", kind="copy:supplied")

    assert log_of(session, wanted)(FIRST) == ([4, 3, 2, 1], Reach(FIRST))


def test_what_comes_between_two_legs_is_shown_neither_twice_nor_instead_of_others(session: Session) -> None:
    rows = make_requests(session, random.Random(6), 90)
    wanted = QueueFilter("all", "潮汐", limit=4)
    before = expected([row for row in rows if "潮汐" in row.title], wanted)
    page = queue_of(session, wanted)
    first, reach = page(FIRST)
    assert reach is not None
    assert reach.older is not None
    late = make_late(session, rows[0])
    second, further = page(reach.older)
    assert further is not None
    assert further.newer is not None

    assert [*first, *second] == before[: len(first) + len(second)]
    assert late in walked(lambda leg: page(further.newer or leg) if leg is FIRST else page(leg))[1]


def make_late(session: Session, like: RequestRow) -> str:
    values = {column.key: getattr(like, column.key) for column in RequestRow.__mapper__.column_attrs}
    late = RequestRow(**values | {"number": "TR-LATE", "title": "潮汐", "changed_at": START + timedelta(days=99)})
    session.add(late)
    session.flush()
    return late.number


def test_a_place_in_another_librarys_list_shows_ones_own_requests_alone(session: Session) -> None:
    rows = make_requests(session, random.Random(8), 120)
    foreign = next(row for row in rows if row.library_id == "north")
    found, reach = queue_of(session, QueueFilter("all", "a", "south"))(
        Leg(True, Place(foreign.changed_at, foreign.number), 0, STEPS)
    )
    numbers = {row.number for row in rows if row.library_id == "south"}

    assert found
    assert set(found) <= numbers
    assert reach is not None
    assert reach.older is None or reach.older.place is None or reach.older.place.key in numbers


def test_other_libraries_rows_do_not_use_up_a_leg(session: Session) -> None:
    rows = make_requests(session, random.Random(8), 120)
    own = sorted((row for row in rows if row.library_id == "south"), key=lambda row: row.changed_at, reverse=True)
    _, reach = queue_of(session, QueueFilter("all", "nowhere", "south"))(FIRST)

    assert reach is not None
    assert reach.stopped == own[STEPS[0] - 1].changed_at


def test_a_number_is_looked_up_and_not_searched_for(session: Session) -> None:
    row = next(one for one in make_requests(session, random.Random(8), 40) if one.link is None)
    row.number = "TR-ABCD-1234"
    session.flush()

    assert queue_of(session, QueueFilter("all", "tr-abcd-1234"))(FIRST) == (["TR-ABCD-1234"], None)
