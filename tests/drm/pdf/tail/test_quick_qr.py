"""Codes worked out from their differences are those of the library, module by module."""

from __future__ import annotations

import re

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from drm.pdf.tail.quick_qr import draw_quick_qr

BEFORE = "https://library.example.org/check/"
STENCIL = re.compile(rb"/W (\d+)/H \1/F/AHx ID\n([0-9a-f]+)>\nEI")


def drawn(operators: bytes) -> list[list[int]]:
    found = STENCIL.search(operators)
    assert found is not None
    side, data = int(found[1]), bytes.fromhex(found[2].decode())
    wide = len(data) // side
    rows = [int.from_bytes(data[row * wide : (row + 1) * wide], "big") for row in range(side)]
    return [[row >> (8 * wide - 1 - column) & 1 ^ 1 for column in range(side)] for row in rows]


@settings(max_examples=40)
@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-._", min_size=12, max_size=12))
def test_the_code_is_one_that_the_library_makes_for_this_address(delivery: str) -> None:
    operators = draw_quick_qr(BEFORE + delivery, delivery, 0, 0, 80)
    assert operators is not None

    codes = [segno.make(BEFORE + delivery, error="m", micro=False, mode="byte", mask=mask) for mask in range(8)]
    assert drawn(operators) in [[[int(module) for module in line] for line in code.matrix] for code in codes]


@pytest.mark.parametrize(
    ("address", "varying"),
    [(BEFORE, "RL-1"), (f"{BEFORE}RL-1/RL-1", "RL-1"), ("https://bücher.example.org/RL-1", "RL-1"), (BEFORE, "")],
)
def test_an_address_that_does_not_hold_the_number_once_is_left_to_the_library(address: str, varying: str) -> None:
    assert draw_quick_qr(address, varying, 0, 0, 80) is None
