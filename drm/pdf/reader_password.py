"""The password that opens a copy, as the bytes that encryption takes (ISO 32000-2, 7.6.4.3.2): SASLprep (RFC 4013), then UTF-8."""

from __future__ import annotations

import functools
import stringprep
import unicodedata

from drm.pdf.values import PdfRefused

LONGEST = 127
"""Bytes of a password that count. Some readers of PDF take no longer one, so none is cut short unseen."""

PROHIBITED = (
    *(stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4),
    *(stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8),
    stringprep.in_table_c9,
)


@functools.lru_cache(maxsize=1024)
def reader_secret(password: str) -> bytes:
    """The bytes of a password for a copy; PdfRefused ``unsupported`` where a copy cannot have it.

    Letters that Unicode has learnt since version 3.2, which SASLprep is made for, stay as they are.
    """
    text = prepared(password)
    if not text:
        raise PdfRefused("unsupported", "Nothing is left of the password for the copy but signs that nobody sees.")
    if any(any(prohibits(letter) for prohibits in PROHIBITED) for letter in text) or not _runs_one_way(text):
        raise PdfRefused("unsupported", "The password for the copy holds signs that no password may hold.")
    data = text.encode()
    if len(data) > LONGEST:
        raise PdfRefused(
            "unsupported", f"The password for the copy has {len(data)} bytes in UTF-8; at most {LONGEST} count."
        )
    return data


def prepared(password: str) -> str:
    """The password as SASLprep writes it: no invisible signs, plain spaces, compatible forms of letters."""
    mapped = (" " if stringprep.in_table_c12(one) else one for one in password if not stringprep.in_table_b1(one))
    return unicodedata.ucd_3_2_0.normalize("NFKC", "".join(mapped))


def _runs_one_way(text: str) -> bool:
    """RFC 3454, section 6: letters from right to left stand at both ends, and none from left to right between."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(map(stringprep.in_table_d2, text))
