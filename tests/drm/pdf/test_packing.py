"""Streams that were packed poorly are packed better and hold the same; all others are left as they are."""

from __future__ import annotations

import random
import zlib

import pikepdf
import pytest
from pikepdf import Dictionary, Name, Stream

from drm.pdf.packing import MOST_UNPACKED, pack_better, packed_well

WORDS = " ".join(
    random.Random(1).choices(["tide", "shallow", "estuary", "salt", "marsh", "q 1 0 0 1 72 700 cm"], k=9000)
).encode()


def holding(packed: bytes, **more: pikepdf.Object) -> tuple[pikepdf.Pdf, pikepdf.Object]:
    pdf = pikepdf.new()
    pdf.Root.Held = pdf.make_indirect(Stream(pdf, packed, Filter=Name.FlateDecode, **more))
    return pdf, pdf.Root.Held


def in_a_small_window(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 9)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("packed", [*(zlib.compress(WORDS, level) for level in (0, 1, 6, 9)), in_a_small_window(WORDS)])
def test_a_stream_that_can_be_packed_better_gets_smaller_and_holds_the_same(packed: bytes) -> None:
    pdf, held = holding(packed)

    saved = pack_better(pdf)

    assert saved == len(packed) - len(held.read_raw_bytes()) > 0
    assert held.read_bytes() == WORDS


def test_a_predictor_stays_with_its_data() -> None:
    rows = b"".join(b"\x02" + bytes([1] * 4) for _ in range(2000))
    pdf, held = holding(zlib.compress(rows, 0), DecodeParms=Dictionary(Predictor=12, Columns=4))
    before = held.read_bytes()

    assert pack_better(pdf) > 0
    assert held.read_bytes() == before


@pytest.mark.parametrize(
    "packed",
    [
        packed_well(WORDS),
        zlib.compress(WORDS, 1)[:-400],
        zlib.compress(WORDS, 1)[:9] + b"broken" * 200,
        zlib.compress(b"\0" * (MOST_UNPACKED + 1), 1) + b"\n" * 512,
        zlib.compress(WORDS, 1) + b"something else",
    ],
    ids=["well packed", "cut", "damaged", "a bomb", "with a rest"],
)
def test_what_is_packed_well_or_cannot_be_unpacked_whole_stays_as_it_is(packed: bytes) -> None:
    pdf, held = holding(packed)

    assert pack_better(pdf) == 0
    assert held.read_raw_bytes() == packed
