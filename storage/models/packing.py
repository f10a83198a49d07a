"""JSON values as few bytes: their texts shortened by what nearly all of them say, which stands in a table that never changes."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

from storage.models.packed_words import WORDS_1

__all__ = ["Damaged", "packed", "plain", "unpacked"]

FORMAT = b"\x01"
"""The first byte of a packed value names its form. JSON begins with none of the kind, so that a value in plain JSON is known too."""
WINDOW, MEMORY, LEVEL = 12, 5, 9
DIGESTS = re.compile(rb"[0-9a-f]{64}|[0-9a-f]{32}")
HALVES = re.compile(rb"\x01(.{16})|\x02(.{32})", re.DOTALL)


class Damaged(ValueError):
    """These bytes are no value that was packed."""


def packed(value: Any) -> bytes:
    """A JSON value as bytes. Promises that ``unpacked`` gives an equal value, its keys in the same sequence."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    # Digests and keys of readers say half as much as they have digits, and no other compression finds that in so short a text.
    # JSON has no byte below 32 between quotes, so that what stands for one is known by its first byte.
    short = DIGESTS.sub(_halved, text)
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -WINDOW, MEMORY, zlib.Z_DEFAULT_STRATEGY, WORDS_1)
    return FORMAT + deflate.compress(short) + deflate.flush()


def plain(data: bytes | str) -> str:
    """The JSON text of a packed value, or of one that is plain JSON already."""
    if isinstance(data, str):
        return data
    if not data.startswith(FORMAT):
        return data.decode("utf-8", "surrogatepass")
    inflate = zlib.decompressobj(-WINDOW, WORDS_1)
    try:
        short = inflate.decompress(data[1:])
    except zlib.error as problem:
        raise Damaged("a packed value cannot be read") from problem
    if not inflate.eof or inflate.unused_data:
        raise Damaged("a packed value is cut short or has something behind it")
    return HALVES.sub(_whole, short).decode("utf-8", "surrogatepass")


def unpacked(data: bytes | str) -> Any:
    """The value that was packed. ValueError for what is none."""
    return json.loads(plain(data))


def _halved(found: re.Match[bytes]) -> bytes:
    return (b"\x02" if len(found[0]) == 64 else b"\x01") + bytes.fromhex(found[0].decode())


def _whole(found: re.Match[bytes]) -> bytes:
    return (found[1] or found[2]).hex().encode()
