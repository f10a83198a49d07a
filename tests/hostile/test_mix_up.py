"""Copies made at the same time, of several masters for many readers: each names the reader that it was made for, and no other."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pypdfium2
import pytest

from drm.pdf.tail.values import master_from, master_to
from tests.drm.pdf.active import plain
from tests.drm.pdf.tail.masters import Ready, ready
from tests.drm.pdf_drawing.samples import SPEC, document, text_at

READERS = ["Niamh Okonkwo", "王小明", "Дмитрий Щёголев", "Zoë Müller", "O'Brien (evil\\)", "Ελένη Παπα"]
Given = tuple[str, dict[str, object]]


def reader_of(number: int) -> tuple[str, str]:
    """Delivery and name: by number, so that every copy knows whose it must be."""
    return f"RL-{number:05}-MIXD", f"{READERS[number % len(READERS)]} {number:05}"


def mixed_up(masters: list[Given], numbers: list[int]) -> list[str]:
    """Make these copies in eight threads, then read each back; what is wrong with them. Runs in a process of its own."""
    prepared = [Ready(Path(path), master_from(record)) for path, record in masters]

    def make(number: int) -> tuple[int, bytes]:
        delivery, name = reader_of(number)
        return number, prepared[number % len(prepared)].copy(replace(SPEC, delivery=delivery, reader=name))

    wrong = []
    for start in range(0, len(numbers), 200):
        with ThreadPoolExecutor(8) as pool:
            copies = list(pool.map(make, numbers[start : start + 200]))
        wrong += [f"{number}: {text[:80]}" for number, data in copies if not _names(number, text := _footer(data))]
    return wrong


def _footer(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    text = "".join(document[1].get_textpage().get_text_bounded().split())
    document.close()
    return text


def _names(number: int, text: str) -> bool:
    delivery, name = reader_of(number)
    return delivery in text and "".join(name.split()) in text and text.count("-MIXD") == text.count(delivery)


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> list[Given]:
    made = [
        ready(tmp_path_factory.mktemp("one"), plain()),
        ready(tmp_path_factory.mktemp("two"), document(text_at(72, 700, "Two"), size=(842, 595))),
        ready(tmp_path_factory.mktemp("three"), document(text_at(72, 700, "Three")), per_page=True),
        ready(tmp_path_factory.mktemp("four"), document(text_at(72, 700, "Four")), encrypted=False),
    ]
    return [(str(one.path), master_to(one.master)) for one in made]


def mixed_up_in_processes(masters: list[Given], copies: int, processes: int = 4) -> list[str]:
    numbers = list(range(copies))
    random.Random(4).shuffle(numbers)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = pool.map(mixed_up, [masters] * processes, [numbers[part::processes] for part in range(processes)])
        return [line for part in parts for line in part]


def test_three_hundred_copies_made_at_once_name_their_readers(masters: list[Given]) -> None:
    assert mixed_up_in_processes(masters, 300, 2) == []


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_ten_thousand_copies_made_at_once_name_their_readers(masters: list[Given]) -> None:
    assert mixed_up_in_processes(masters, 10_000) == []


def test_a_copy_of_another_reader_would_be_noticed(masters: list[Given]) -> None:
    prepared = Ready(Path(masters[0][0]), master_from(masters[0][1]))
    delivery, name = reader_of(7)

    assert not _names(8, _footer(prepared.copy(replace(SPEC, delivery=delivery, reader=name))))
