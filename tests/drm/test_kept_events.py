"""What is kept of an event beside its columns: its bytes come back as they were, and out of no other row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drm.audit.events import Event, leaf_bytes
from drm.audit.kept import Row, leaves_of, row_of

AT = datetime(2026, 11, 24, 9, 0, 0, 5, tzinfo=UTC)
DIGEST, FACTS = "7d" * 32, "5c" * 32
SUPPLIED = Event(
    "copy:supplied",
    AT,
    "system",
    "harbour",
    "TR-1",
    "RL-1",
    (("open", 1), ("more", 12)),
    FACTS,
    DIGEST,
    "tail",
    {"n": 1},
)
TEXTS = st.text(max_size=8) | st.sampled_from(['"', "\\", "a b", "TR-1", '","request":"', "\0", "潮汐"])
DIGESTS = st.sampled_from(["", DIGEST, FACTS, FACTS.upper(), "7d", "no digest"])
EVENTS = st.builds(
    Event,
    st.sampled_from(["copy:supplied", "request:decided"]),
    st.datetimes(timezones=st.just(UTC)),
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(st.tuples(TEXTS, st.integers(0, 99)), max_size=3).map(tuple),
    DIGESTS,
    DIGESTS,
    TEXTS,
    st.dictionaries(TEXTS, st.integers() | TEXTS | st.dictionaries(TEXTS, st.booleans(), max_size=2), max_size=2),
)


def written(event: Event, seq: int = 7) -> Row:
    """The row that is written for an event, without its chain."""
    return row_of(seq, leaf_bytes(seq, event), b"", event)


@given(EVENTS, st.integers(1, 10**9))
def test_the_bytes_of_any_event_come_back_from_its_row(event: Event, seq: int) -> None:
    assert leaves_of([written(event, seq)]) == [leaf_bytes(seq, event)]


def test_what_columns_say_is_not_kept_again() -> None:
    kept = written(SUPPLIED)[1]

    assert len(kept) == 1 + 32 + 32 + len('tail\0{"n":1}')
    assert written(replace(SUPPLIED, facts="", digest="", counts={}))[1] == b"\x01tail"


@given(st.data())
def test_no_other_row_gives_the_same_bytes(data: st.DataObject) -> None:
    event = data.draw(EVENTS)
    row = written(event)
    place = data.draw(st.sampled_from([1, *range(3, len(row))]))
    old = row[place]
    new = data.draw(
        st.binary(max_size=80) if place == 1 else TEXTS | st.sampled_from([f"{old!s} ", f'{old!s}"', 7, None])
    )
    changed = [*row[:place], new, *row[place + 1 :]]

    given_back = leaves_of([tuple(changed)])  # type: ignore[list-item]  # a database may hold anything

    assert new == old or given_back != [leaf_bytes(7, event)]


MOVED: dict[str, dict[int, str | bytes]] = {
    "the delivery stands behind the counts": {
        1: b"\x04" + bytes.fromhex(DIGEST + FACTS) + b'tail\0{"n":1},"delivery":"RL-1"',
        8: "",
    },
    "the counts stand in the delivery": {
        1: b"\x04" + bytes.fromhex(DIGEST + FACTS) + b"tail",
        8: 'RL-1","counts":{"n":1',
    },
    "digest and facts stand in the delivery": {
        1: b'\x01tail\0{"n":1}',
        8: f'RL-1","digest":"{DIGEST}","facts":"{FACTS}',
    },
    "the library stands in the kind": {4: 'copy:supplied","library":"harbour', 6: ""},
    "the request stands in the library": {6: 'harbour","request":"TR-1', 7: ""},
    "agreements stand in the actor": {5: 'system","agreements":["open@1","more@12', 9: ""},
    "one agreement stands for two": {9: 'open@1","more@12'},
}


@pytest.mark.parametrize("how", MOVED)
def test_text_that_moves_from_column_to_column_is_no_event(how: str) -> None:
    row = list(written(SUPPLIED))
    assert leaves_of([tuple(row)]) == [leaf_bytes(7, SUPPLIED)]  # type: ignore[list-item]

    for place, text in MOVED[how].items():
        row[place] = text

    assert leaves_of([tuple(row)]) != [leaf_bytes(7, SUPPLIED)]  # type: ignore[list-item]


@pytest.mark.parametrize("place", range(3, 10))
def test_a_row_that_was_kept_whole_counts_only_with_its_own_columns(place: int) -> None:
    leaf = leaf_bytes(7, SUPPLIED)
    row = [*written(SUPPLIED)]
    row[1] = leaf
    assert leaves_of([tuple(row)]) == [leaf]  # type: ignore[list-item]

    row[place] = "2026-11-24 09:00:00.000006" if place == 3 else "another"

    assert leaves_of([tuple(row)]) == [b""]  # type: ignore[list-item]


@pytest.mark.parametrize(
    "kept", [b"", b"\x00tail", b"\x09", b"{", b"[]", b'{"seq":8}', "text", None, 7, b"\x01\xff", b"\x01a\0no json"]
)
def test_what_cannot_be_read_is_no_event(kept: object) -> None:
    assert leaves_of([(7, kept, b"", *written(SUPPLIED)[3:])]) == [b""]  # type: ignore[list-item]
