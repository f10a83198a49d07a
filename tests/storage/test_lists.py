"""Lists find what a plain look at every row finds, in the same sequence, however they go about it."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

from sqlalchemy.orm import Session

from delivery.document_request import QueueFilter
from delivery.lifecycle import OPEN, State
from delivery.stores import LogFilter
from storage.audit_log import SqlUsageLog
from storage.ledger import SqlLedger
from storage.log_walks import count_of_days, span_of
from storage.models import EventRow, RequestRow
from storage.requests import SqlRequests
from tests.storage.made_history import LIBRARIES, START, make_events, make_ledger, make_records, make_requests

SHOWN = {
    "open": OPEN,
    "desk": {State.AT_DESK},
    "approval": {State.NEW},
    "supplied": {State.SUPPLIED, State.EXPIRED},
    "closed": {State.UNFILLED, State.REFUSED, State.CANCELLED},
    "all": set(State),
}


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
        seen = (7, numbers[:7]) if page.reach else (len(numbers), numbers[7:14])

        assert (page.total, [one.number for one in page.requests]) == seen, wanted


def fits(event: EventRow, reader: str, wanted: LogFilter) -> bool:
    """Whether an event about this reader's request, or nobody's, is one that a filter asks for."""
    return (
        wanted.kind in {"", event.kind}
        and wanted.library_id in {"", event.library_id}
        and wanted.reader_key in {"", event.actor, reader}
        and (not wanted.agreement or f"{wanted.agreement}@{wanted.version}" in event.agreements.split())
        and (wanted.since is None or event.at >= wanted.since)
        and (wanted.until is None or event.at < wanted.until)
    )


def test_every_filter_of_the_log_finds_the_same_as_a_look_at_every_event(session: Session) -> None:
    chance = random.Random(3)
    requests = make_requests(session, chance, 30)
    events = make_events(session, chance, requests, 300)
    readers = {row.number: row.link.reader_key for row in requests if row.link}
    days = [None, *(START + timedelta(hours=hours) for hours in (-24, 24, 48, 60, 999))]
    whole = itertools.product(
        ("", "copy:supplied"), ("", "north"), ("", "reader1", "reader", "officer"), ("", "limited"), days, days
    )
    for kind, library, reader, agreement, since, until in chance.sample(list(whole), 150):
        wanted = LogFilter(agreement, 2, "", library, reader, kind, "", since, until, None, 7, 3)
        page = SqlUsageLog(session).find(wanted)
        found = [one.seq for one in reversed(events) if fits(one, readers.get(one.request, ""), wanted)]

        assert page.total == len(found), wanted
        assert [one.seq for one in page.entries] == found[3:10], wanted


def _by_numbers(session: Session, wanted: LogFilter) -> int | None:
    return count_of_days(session, wanted, span_of(session, wanted))


def test_days_are_counted_by_their_numbers_wherever_no_event_of_theirs_came_late(session: Session) -> None:
    late = {74: 9, 100: 30, 101: 100}  # an event an hour; of these two belong to the third day, one to the first
    times = [START + timedelta(hours=seq - late.get(seq, 0)) for seq in range(1, 241)]
    session.add_all(
        EventRow(seq=seq, kept=b"{}", chain=b"", at=at, kind="mail:sent", actor="system")
        for seq, at in enumerate(times, 1)
    )
    session.flush()
    told = []
    for first, last in itertools.combinations([None, *range(-1, 12), None], 2):
        since, until = (None if day is None else START + timedelta(days=day) for day in (first, last))
        counted = _by_numbers(session, LogFilter(since=since, until=until))

        if counted is not None:
            told.append((first, last))
            assert counted == sum((not since or since <= at) and (not until or at < until) for at in times)
    assert {(6, 7), (5, None), (None, 8), (None, None), (-1, 0), (11, None)} <= set(told)
    assert not {(2, 3), (4, 5), (0, 1), (None, 2)} & set(told)
    assert _by_numbers(session, LogFilter(since=START + timedelta(hours=1))) is None
    assert _by_numbers(session, LogFilter(kind="copy:supplied", since=START)) is None


def test_a_window_finds_every_record_that_may_count_in_it(session: Session) -> None:
    chance = random.Random(11)
    records = make_records(session, chance, make_requests(session, chance, 200))
    keys: list[dict[str, str | None]] = [
        {"entity": "north"},
        {"title": "issn:29990017"},
        {"reader": "reader1", "entity": "south"},
    ]
    for parts, hours in itertools.product(keys, (0, 24, 37, 100, 150)):
        since = START + timedelta(hours=hours)
        found = {record.claim for record in SqlLedger(session).history([(parts, since)])}

        assert found == {
            one.claim
            for one in records
            if all(getattr(one, name) == value for name, value in parts.items())
            and one.status != "cancelled"
            and (one.status == "reserved" or one.requested_at >= since or (one.filled_at and one.filled_at >= since))
        }, (parts, since)


def test_the_highest_use_of_a_limit_is_that_of_its_fullest_scope(session: Session) -> None:
    held = make_ledger(session, random.Random(5), 60)
    use = SqlLedger(session).highest("a.per_month")

    assert (use.most, use.scopes, use.whole) == (max(held.values()), sum(1 for one in held.values() if one), True)
