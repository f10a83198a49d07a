"""Streams that are deflated in parts read back as a whole."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from drm.pdf.tail.writing import LONGEST_STORED, packed_between


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_what_is_deflated_in_parts_is_one_sound_stream(before: bytes, own: bytes, after: bytes) -> None:
    stream = zlib.decompressobj()

    assert stream.decompress(packed_between(before, own, after)) == before + own + after
    assert stream.eof
    assert not stream.unused_data


def test_something_longer_than_a_stored_block_goes_in_between_as_well() -> None:
    for length in (LONGEST_STORED, LONGEST_STORED + 1):
        own = bytes(length)

        assert zlib.decompress(packed_between(b"before", own, b"after")) == b"before" + own + b"after"
