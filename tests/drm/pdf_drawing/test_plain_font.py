"""The small font of copies, read by a library that knows nothing of ours."""

from __future__ import annotations

import io

from fontTools.agl import AGL2UV
from fontTools.cffLib import CFFFontSet

from drm.pdf.plain_font import PlainSubset, plain_font

TEXT = " ',-.0123456789:ABCXYZabcxyz©ÁÉéß"


def test_glyphs_of_a_subset_keep_their_names_wherever_a_range_of_them_ends() -> None:
    codes = [plain_font().glyph(one) for one in TEXT]
    every, some = CFFFontSet(), CFFFontSet()

    every.decompile(io.BytesIO(plain_font().file(map(plain_font().glyph, plain_font().widths), b"ABCDEF+All")), None)
    some.decompile(io.BytesIO(plain_font().file(codes, b"ABCDEF+Some")), None)

    named = {chr(AGL2UV[name]) for name in some[0].charset[1:]}
    assert named == set(PlainSubset(TEXT).texts)
    assert len(set(every[0].charset)) == len(plain_font().widths) + 1


def test_names_of_consecutive_glyphs_take_a_range_and_not_two_bytes_each() -> None:
    font, letters = plain_font(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    lone, all_ = (len(font.file(map(font.glyph, some), b"A")) for some in (letters[:1], letters))
    outlines, offsets = sum(len(font.outline(one)) for one in letters[1:]), 2 * (len(letters) + 2)

    assert all_ - lone <= outlines + offsets
