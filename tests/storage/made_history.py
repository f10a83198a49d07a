"""A small history of random requests and events, for comparing what lists find with what a plain look at every row finds."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from delivery.lifecycle import State
from storage.models import EventRow, LedgerRow, LibraryRow, ReaderLinkRow, RequestRow, UsageRow

START = datetime(2026, 3, 1, tzinfo=UTC)
LIBRARIES = ("north", "south")
WORDS = (
    "Tidal",
    "asymmetry",
    "in",
    "estuaries",
    "潮汐",
    "与",
    "泥沙的记忆",
    "100%",
    "co_operation",
    "Élan",
    "O'Brien's",
    "DNA",
)


def title(chance: random.Random) -> str:
    """A few words, some of them run together."""
    return chance.choice((" ", "-", "")).join(chance.choices(WORDS, k=chance.randint(0, 4)))


def make_requests(session: Session, chance: random.Random, count: int) -> list[RequestRow]:
    """Requests in all states; many of them changed at the same moment."""
    for name in LIBRARIES:
        session.add(LibraryRow(id=name, name=name, country="IE", tz="UTC", language="en", email="", agreements=[]))
    session.flush()
    rows = []
    for number in range(count):
        named, container = title(chance), title(chance)
        at = START + timedelta(hours=chance.randint(0, 200))
        row = RequestRow(
            number=f"TR-{chance.getrandbits(32):08X}-{number:04d}",
            library_id=chance.choice(LIBRARIES),
            state=chance.choice(list(State)).value,
            hold=chance.choice(("", "approval")),
            typed={},
            citation={"title": named, "container": container},
            title=named or container,
            container=container,
            language=chance.choice(("en", "zh")),
            via="form",
            found={},
            decision={},
            created_at=at,
            changed_at=at + timedelta(hours=chance.randint(0, 5)),
        )
        row.link = chance.choice((None, ReaderLinkRow(reader_key=f"reader{chance.randint(0, 5)}")))
        session.add(row)
        rows.append(row)
    session.flush()
    return rows


def make_events(session: Session, chance: random.Random, requests: list[RequestRow], count: int) -> list[EventRow]:
    """Events about these requests and others. Their times follow their numbers, but for some that come late."""
    rows = []
    for seq in range(1, count + 1):
        late = chance.choice((0, 0, 0, 3, 40))
        about = chance.choice((None, *requests))
        row = EventRow(
            seq=seq,
            kept=b"{}",
            chain=b"",
            at=START + timedelta(hours=seq - late),
            kind=chance.choice(("request:created", "copy:supplied")),
            actor=chance.choice(("system", "reader", "reader1", "reader2", "officer")),
            library_id="" if about is None else about.library_id,
            request="" if about is None else about.number,
            agreements=chance.choice(("", "open@1", "open@1 limited@2", "limited@2", "limited@12", "un_limited@2")),
        )
        session.add(row)
        rows.append(row)
    session.flush()
    return rows


def make_records(session: Session, chance: random.Random, requests: list[RequestRow]) -> list[UsageRow]:
    """What these requests count as. Some wait for days, and of some the fill is earlier than the request: clocks differ."""
    rows = []
    for request in requests:
        status = chance.choice(("reserved", "filled", "filled", "filled", "cancelled"))
        later = timedelta(hours=chance.choice((-30, -1, 0, 0, 1, 9, 60)))
        row = UsageRow(
            claim=f"{request.number}/1",
            request=request.number,
            library_id=request.library_id,
            status=status,
            under=["limited"],
            facts={},
            entity=request.library_id,
            title=chance.choice(("issn:29990017", "issn:29990025", None)),
            reader=chance.choice(("reader1", "reader2")),
            requested_at=request.created_at,
            filled_at=None if status == "reserved" else chance.choice((None, request.created_at + later)),
        )
        session.add(row)
        rows.append(row)
    session.flush()
    return rows


def make_ledger(session: Session, chance: random.Random, count: int) -> dict[str, int]:
    """Slots of one rule that were taken and partly given back; what each scope holds."""
    held: dict[str, int] = {}
    for number in range(count):
        scope = f"a.per_month|reader=reader{chance.randint(0, 9)}"
        kinds = chance.choice(
            (["reserve"], ["reserve", "settle"], ["reserve", "release"], ["reserve", "settle", "refund"])
        )
        held[scope] = held.get(scope, 0) + (0 if set(kinds) & {"release", "refund"} else 1)
        for kind in kinds:
            session.add(
                LedgerRow(claim=f"TR-{number}/1", agreement="a", rule="a.per_month", scope=scope, kind=kind, at=START)
            )
    session.flush()
    return held
