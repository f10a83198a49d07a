"""The log's chain: any change of any row is found, and the first bad row is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drm.audit.chain import START, Head, LogRow, LogVerdict, next_chain, verify_chain
from drm.audit.events import Event, leaf_bytes, leaf_hash

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SIZE = 40


def rows(key: bytes = KEY, first: int = 1, chain: bytes = START, code: str = "OK") -> list[LogRow]:
    made = []
    for seq in range(first, SIZE + 1):
        event = Event(
            "request:decided", NOW + timedelta(seconds=seq), "system", "harbour", f"TR-{seq}", code=f"{code}{seq}"
        )
        leaf = leaf_bytes(seq, event)
        digest = leaf_hash(leaf)
        chain = next_chain(key, chain, seq, digest)
        made.append(LogRow(seq, leaf, chain))
    return made


ROWS = rows()
HEAD = Head(SIZE, ROWS[-1].chain)


def check(changed: list[LogRow], head: Head | None = HEAD) -> LogVerdict:
    return verify_chain(KEY, changed, head)


def renumbered(row: LogRow, seq: int) -> LogRow:
    content = {**json.loads(row.leaf), "seq": seq}
    leaf = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return LogRow(seq, leaf, row.chain)


def test_a_whole_log_is_whole_and_may_be_newer_than_its_head() -> None:
    assert check(ROWS) == LogVerdict(True, SIZE)
    assert check(ROWS, Head(10, ROWS[9].chain)).whole
    assert check([], Head(0, START)).whole


@given(st.integers(0, SIZE - 1), st.data())
def test_one_bit_anywhere_is_found_and_its_row_is_named(place: int, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(["leaf", "chain"]))
    content = bytearray(getattr(ROWS[place], field))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    verdict = check([*ROWS[:place], replace(ROWS[place], **{field: bytes(content)}), *ROWS[place + 1 :]])  # type: ignore[arg-type]  # one of the two fields of bytes

    assert (verdict.whole, verdict.first_bad) == (False, place + 1)


@given(st.integers(0, SIZE - 1))
def test_a_missing_row_is_named(place: int) -> None:
    verdict = check(ROWS[:place] + ROWS[place + 1 :])

    assert (verdict.whole, verdict.first_bad) == (False, place + 1)


@given(st.integers(0, SIZE - 2), st.data())
def test_two_rows_that_changed_places_are_found_at_the_first(place: int, data: st.DataObject) -> None:
    other = data.draw(st.integers(place + 1, SIZE - 1))
    swapped = list(ROWS)
    swapped[place], swapped[other] = replace(ROWS[other], seq=place + 1), replace(ROWS[place], seq=other + 1)

    assert check(swapped).first_bad == place + 1


@given(st.integers(0, SIZE - 1))
def test_a_row_put_in_between_is_named_even_when_all_after_it_are_renumbered(place: int) -> None:
    inserted = renumbered(ROWS[place], place + 1)
    after = [renumbered(row, row.seq + 1) for row in ROWS[place:]]

    assert check([*ROWS[:place], replace(inserted, chain=OTHER), *after]).first_bad == place + 1


@given(st.integers(0, SIZE - 1))
def test_a_tail_cut_below_the_head_is_noticed(size: int) -> None:
    verdict = check(ROWS[:size])

    assert (verdict.whole, verdict.first_bad) == (False, size + 1)


@pytest.mark.parametrize("place", [0, 17, SIZE - 1])
def test_a_log_computed_again_without_the_key_is_found_where_it_begins_to_differ(place: int) -> None:
    before = ROWS[place - 1].chain if place else START
    forged = ROWS[:place] + rows(OTHER, place + 1, before, "DENY")

    assert check(forged).first_bad == place + 1


def test_a_log_computed_again_with_the_key_still_differs_from_the_head_kept_elsewhere() -> None:
    assert not check(rows(code="DENY")).whole


@given(st.binary(max_size=60))
def test_a_leaf_of_any_bytes_is_a_finding_and_never_an_error(leaf: bytes) -> None:
    row = LogRow(1, leaf, next_chain(KEY, START, 1, leaf_hash(leaf)))

    assert check([row], None).first_bad == 1


def test_the_bytes_of_an_event_are_fixed() -> None:
    event = Event("copy:supplied", NOW, "system", "harbour", "TR-1", "RL-1", (("lic", 2),), digest="ab", code="tail")

    assert leaf_bytes(7, event) == (
        b'{"actor":"system","agreements":["lic@2"],"at":"2026-11-24T09:00:00.000000Z","code":"tail","delivery":"RL-1",'
        b'"digest":"ab","kind":"copy:supplied","library":"harbour","request":"TR-1","seq":7}'
    )
