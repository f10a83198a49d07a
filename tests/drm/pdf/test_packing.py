"""Streams that were packed poorly are packed better and hold the same; all others are left as they are."""

from __future__ import annotations

import random
import zlib

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream

from drm.pdf.packing import MOST_UNPACKED, pack_better, packed_harder, packed_well

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


def test_of_several_layers_the_outermost_is_packed_anew_and_the_others_stay() -> None:
    pdf, held = holding(zlib.compress(WORDS, 1))
    held.Filter, held.DecodeParms = (
        Array([Name.FlateDecode, Name.DCTDecode]),
        Array([None, Dictionary(ColorTransform=0)]),
    )

    assert pack_better(pdf) > 0
    assert list(held.Filter) == [Name.FlateDecode, Name.DCTDecode]
    assert zlib.decompress(held.read_raw_bytes()) == WORDS
    assert held.DecodeParms[1].ColorTransform == 0


@pytest.mark.parametrize(
    "entries",
    [
        {"Filter": Name.DCTDecode},
        {"Filter": Array([Name.Crypt, Name.FlateDecode])},
        {"Filter": Array([Name.FlateDecode] * 2), "DecodeParms": Dictionary(Predictor=12)},
        {"Filter": Array([Name.FlateDecode, 3])},
    ],
    ids=["a photograph", "encrypted", "parameters of nobody knows what", "no name"],
)
def test_what_is_packed_in_other_ways_is_left_alone(entries: dict[str, pikepdf.Object]) -> None:
    pdf, held = holding(b"damaged " * 400)
    for key, value in entries.items():
        held[f"/{key}"] = value

    assert pack_better(pdf) == 0
    assert held.read_raw_bytes() == b"damaged " * 400


@pytest.mark.parametrize("held", [b"no stream", zlib.compress(b"\0" * (MOST_UNPACKED + 1)), packed_well(WORDS)])
def test_what_cannot_be_packed_harder_stays(held: bytes) -> None:
    assert packed_harder(held) == held


def test_what_is_not_packed_at_all_is_packed() -> None:
    pdf = pikepdf.new()
    pdf.Root.Held = pdf.make_stream(WORDS)

    assert pack_better(pdf) == len(WORDS) - len(pdf.Root.Held.read_raw_bytes()) > 0
    assert pdf.Root.Held.read_bytes() == WORDS
