"""Codes worked out from their differences are those of the library, module by module."""

from __future__ import annotations

import re

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from drm.pdf.tail.quick_qr import draw_quick_qr

BEFORE = "https://library.example.org/check/"
BAR = re.compile(rb"(\d+) (\d+) (\d+) 1 re")


def drawn(operators: bytes, side: int) -> list[list[int]]:
    found = [[0] * side for _ in range(side)]
    for left, bottom, wide in (map(int, bar) for bar in BAR.findall(operators)):
        row = found[side - 1 - bottom]
        row[left : left + wide] = [1] * wide
    return found


@settings(max_examples=40)
@given(st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-._", min_size=12, max_size=12))
def test_the_code_is_one_that_the_library_makes_for_this_address(delivery: str) -> None:
    operators = draw_quick_qr(BEFORE + delivery, delivery, 0, 0, 80)
    assert operators is not None

    codes = [segno.make(BEFORE + delivery, error="m", micro=False, mode="byte", mask=mask) for mask in range(8)]
    side = len(codes[0].matrix)
    assert drawn(operators, side) in [[[int(module) for module in line] for line in code.matrix] for code in codes]


@pytest.mark.parametrize(
    ("address", "varying"),
    [(BEFORE, "RL-1"), (f"{BEFORE}RL-1/RL-1", "RL-1"), ("https://bücher.example.org/RL-1", "RL-1"), (BEFORE, "")],
)
def test_an_address_that_does_not_hold_the_number_once_is_left_to_the_library(address: str, varying: str) -> None:
    assert draw_quick_qr(address, varying, 0, 0, 80) is None
