"""Packed values come back as they were, in any text; what is no packed value is refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.models.packed_words import WORDS_1
from storage.models.packing import Damaged, packed, plain, unpacked

ODD = (
    "",
    "\0\x01\x02\x1f",
    "ab" * 16,
    "x" + "0" * 200,
    '"\\',
    "\ud800",
    "潮汐\U0001f30a",
    "\u2028",
    "01" * 32 + "\x02",
)
TEXTS = st.one_of(
    st.text(st.characters(codec=None)), st.text("0123456789abcdef\x01\x02", min_size=20), st.sampled_from(ODD)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXTS, inner)),
)


@given(VALUES)
def test_every_value_comes_back_with_its_keys_in_the_same_sequence(value: Any) -> None:
    again = unpacked(packed(value))

    assert json.dumps(again) == json.dumps(value)


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_come_back(text: str) -> None:
    assert unpacked(packed({text: [text, text]})) == {text: [text, text]}


@pytest.mark.parametrize("kept", ['{"a": [1, "é"]}', '{"a": [1, "é"]}'.encode(), b' {"a":[1,"\\u00e9"]}'])
def test_plain_json_is_read_too(kept: bytes | str) -> None:
    assert unpacked(kept) == {"a": [1, "é"]}


def test_what_is_cut_short_or_longer_is_refused() -> None:
    whole = packed({"entity": {"id": "harbour"}, "list": list(range(50))})

    for wrong in (whole[:-1], whole[:1], whole + b"x", b"\x01\xff\xff"):
        with pytest.raises(Damaged):
            plain(wrong)


def test_the_first_table_never_changes_and_old_bytes_stay_readable() -> None:
    kept = bytes.fromhex(
        "01c348481989454940ebd0d2930bc8f57958520123a3b26b7ae7eab3ef6134480d24b7441bea18e999ea40aa8f677bd729c5d60200"
    )

    assert hashlib.sha256(WORDS_1).hexdigest() == "0e9d60d85f9a9ca804792ad18b9c94aca08a4f50777c3f3a6324a5ad5a10af8f"
    assert unpacked(kept) == {
        "entity": {"id": "harbour", "tz": "Europe/Dublin"},
        "reader": {"id": "0123456789abcdef" * 2},
        "used": [1, 2.5, None, "潮"],
    }


def test_what_is_stored_of_a_decision_takes_a_quarter_of_its_text() -> None:
    facts = {
        "entity": {"id": "harbour", "tz": "Europe/Dublin", "country": "IE", "for_profit": False},
        "reader": {"id": "5f" * 16},
    }
    value = {
        "decision": {"outcome": "allow", "reason": "OK", "all_reasons": [], "facts_hash": "a7" * 32},
        "facts": facts,
    }

    assert 4 * len(packed(value)) < len(json.dumps(value))
