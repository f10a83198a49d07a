"""A literal string of a tail that lost a byte is seen by its length or its shape, whatever bytes it says."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from drm.pdf.tail.crypt import quoted
from drm.pdf.tail.light import STRING, _length


@given(st.binary(min_size=16, max_size=16))
@example(b"\r" * 16)
@example(b"\\(\r)" * 4)
@example(b"\r015\\015()\\\\\r\r55")
def test_a_string_that_lost_a_byte_has_another_length_or_is_none(data: bytes) -> None:
    whole = quoted(data)
    found = re.fullmatch(STRING, whole, re.S)
    assert found is not None
    assert _length(found[1]) == 16

    for place in range(len(whole)):
        cut = re.fullmatch(STRING, whole[:place] + whole[place + 1 :], re.S)
        assert cut is None or _length(cut[1]) != 16
