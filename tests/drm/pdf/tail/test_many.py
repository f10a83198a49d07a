"""Any name on any copy, and many copies at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drm.pdf.names import display_name
from drm.pdf.tail.light import check_tail
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import SPEC, document, text_at

NASTY = "\u202e\u200b\u0301\u0000\ud800()\\<>[]{}/%\U0001f600\U00020bb7\u05d0\u0639\u1ea4\u00c5 王Жλé-'\"&;"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(tmp_path_factory.mktemp("many"), document(text_at(72, 700, "One")))


def footer_of(one: Ready, name: str) -> str:
    tail = one.tail(replace(SPEC, reader=name))
    check_tail(one.master, tail)
    page = pypdfium2.PdfDocument(one.path.read_bytes() + tail.data)[1]
    return "".join(page.get_textpage().get_text_bounded().split())


def test_three_hundred_nasty_names_are_read_back_exactly_or_as_their_fallback(one: Ready) -> None:
    dice = random.Random(4)
    names = ["".join(dice.choices(NASTY, k=dice.randint(1, 30))) for _ in range(300)]

    for name in names:
        shown, _ = display_name(name, SPEC.delivery)
        text = footer_of(one, name)
        assert "".join(shown.split()) in text, ascii(name)
        assert SPEC.delivery in text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_no_name_breaks_a_tail_or_hides_the_delivery_number(one: Ready, name: str) -> None:
    assert SPEC.delivery in footer_of(one, name)


def test_copies_made_at_the_same_time_are_those_made_one_by_one(one: Ready) -> None:
    specs = [replace(SPEC, delivery=f"RL-{number:04}-AAAA", reader=f"Reader {number} 王") for number in range(1_000)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(one.tail, specs))

    assert [tail.delivery for tail in together] == [spec.delivery for spec in specs]
    assert [tail.sha256 for tail in together] == [one.tail(spec).sha256 for spec in specs]


def test_a_record_moved_to_another_place_makes_the_same_copies(one: Ready, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(one.path.read_bytes())

    assert Ready(tmp_path / "elsewhere", one.master).copy() == one.copy()
