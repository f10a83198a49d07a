"""Content whose words are placed one by one is read faster, and never otherwise than by its tokens."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drm.pdf.content import Balance, balance, balance_of, nested_tokens, walked_balance
from drm.pdf.plain_content import without_strings

WORDS = b"(word ) Tj -0.04 Tc (by) Tj .1 Tw (word) Tj\n" * 30
PIECES = st.sampled_from(
    [
        *(b"q", b"Q", b"BT", b"ET", b"/P BMC", b"/P <</A (q)>> BDC", b"EMC", b"(", b")", b"\\", b"%", b"\n", b"\r", b"\0"),
        *(b"(a (q) Q)", b"(\\()", b"(\\\\) q", b"(\\)) Q (", b"(\\\\\\) q) Tj", b"\\(", b"(% q", b"% (q\n", b"<", b">", b"<<", b">>"),
        *(b"[", b"]", b"[(q)-3(Q)] TJ", b"[q]", b"<41>", b"<4(1)2>", b"<4\n1> Tj", b"BI", b"ID", b"EI", b"(BI )", b"BI /W 1 ID (q EI"),
        *(b" Tj ", b"Tj", b"'", b"(q) Tj (Q) ' ", b"1 Tc ", b"9 w", b"/q gs", b"/Tj", b"(Tj", b"x", b"\x80"),
    ]
)  # fmt: skip
CONTENT = st.tuples(*[st.lists(PIECES, max_size=8).map(b" ".join)] * 2, st.lists(PIECES, max_size=8).map(b"".join)).map(
    lambda parts: parts[0] + b"\n" + WORDS + parts[1] + WORDS + parts[2]
)


@given(CONTENT)
@example(b"% (\n" + WORDS + b"q % )")
@example(b"\\( q \\)" + WORDS)
@example(b"<4" + WORDS + b"1> q")
@example(b"\n" + WORDS + b"[q](BI )")
def test_what_is_read_faster_is_read_as_token_by_token(content: bytes) -> None:
    certain = nested_tokens(content)

    assert balance(content) == (walked_balance(content) if certain is None else balance_of(certain))


@pytest.mark.parametrize("ends", [b"% (\n", b"\\( q", b"(a (b)) Tj", b"(never closed", b"BI /W 1 ID ( EI", b"q )"])
def test_content_that_is_not_plain_is_left_to_others(ends: bytes) -> None:
    assert without_strings(WORDS + b"q Q") is not None

    assert without_strings(WORDS + ends) is None


def test_words_that_fill_a_page_leave_one_operator_each_line() -> None:
    line = b"1 0 0 1 72 700 Tm " + b"(a \\(q\\) word ) Tj 0.1 Tc " * 50 + b"T* "

    assert (without_strings(line * 20) or b"").split() == b"1 0 0 1 72 700 Tm Tj T*".split() * 20
    assert balance(b"q " + line * 20 + b"[(Q) 3 <51>] TJ q") == Balance(open_saves=2)
