"""Content of typesetters who place each word, with its strings left out. Plain content only: other goes through ``content.py``.

A page of a thousand words then costs a third: where no string holds a bracket, the next closing one ends it.
"""

from __future__ import annotations

import re

WHITE = rb"\x00\t\n\x0c\r "
DELIMITER = rb"\[\]<>{}()/%"
INLINE_IMAGE = re.compile(
    rb"(?:BI(?<![^%s%s]BI)|ID(?<![^%s%s]ID))(?![^%s%s])" % ((WHITE, DELIMITER) * 3)  # letters first: they are rare
)
ESCAPED = re.compile(rb"\\[\\()]")
"""What in a string is no bracket, and no start of an escape (ISO 32000-2, 7.3.4.2)."""

ROUND = bytes(set(range(256)) - set(b"()"))
MANY_WORDS, LOOKED_AT = 40, 4096
"""Strings shown within so many bytes of its middle from which leaving them out by runs is worth it."""

_SPACE = rb"[" + WHITE + rb"]"
_FLAT = rb"\([^()]*+\)"
_SHOWN = _FLAT + rb"%b?+Tj%b(?:[-+.0-9]++%bT[cwz]%b)?+" % ((_SPACE,) * 4)
SHOWN = re.compile(rb"%b(?:%b)*+" % (_SHOWN, _SHOWN))  # its first byte is certain: such are found faster
"""Strings shown one behind the other, with nothing between but other spacing."""

STRING = re.compile(_FLAT)
_HEX = rb"<[0-9A-Fa-f%b]*+>" % WHITE
LISTS = re.compile(rb"\[(?:[^\[\]<>]++|%b)*+\]|%b" % (_HEX, _HEX))


def without_strings(content: bytes) -> bytes | None:
    """The content without strings, and without lists that hold nothing but numbers, names and strings.

    Of strings that are shown one behind the other one operator is left. None where few words are shown one by one, where a
    string holds brackets or does not end, and where there is a comment, an inline image, or a backslash outside strings.
    """
    middle = len(content) // 2
    if content.count(b"Tj", middle, middle + LOOKED_AT) <= MANY_WORDS:
        return None
    if b"\\" in content:
        content = ESCAPED.sub(rb"\\A", content)  # still a backslash, so that one outside strings is seen
    brackets = content.translate(None, ROUND)
    if brackets != b"()" * (len(brackets) // 2):
        return None
    bare = STRING.sub(b")", SHOWN.sub(b" Tj ", content))  # a bracket, for no hexadecimal string holds one
    # All outside strings, if anywhere: the first of them stands behind strings that were read as they should be.
    if b"%" in bare or b"\\" in bare or has_inline_images(bare):
        return None
    if b"[" in bare or b"<" in bare:
        bare = LISTS.sub(b" ", bare)
    return bare.replace(b")", b" ")


def has_inline_images(content: bytes) -> bool:
    """Whether a word stands anywhere that begins an inline image, or its data."""
    return (b"BI" in content or b"ID" in content) and INLINE_IMAGE.search(content) is not None
