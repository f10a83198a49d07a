"""Reads the index that qpdf wrote and writes that of a master: cross-reference streams and tables."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

FREE, PLAIN, PACKED = 0, 1, 2
STARTXREF = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
TABLE = re.compile(rb"xref\n0 (\d+)\n")
STREAM = re.compile(rb"(\d+) 0 obj\n<<(.*?)>>\s*stream\r?\n", re.S)
HEAD = 4096
LARGEST_OBJECT = 1024 * 1024
INFO, ROOT, FIRST_ID = (
    re.compile(rb"/Info (\d+) 0 R"),
    re.compile(rb"/Root (\d+) 0 R"),
    re.compile(rb"/ID \[<([0-9a-f]*)>"),
)
ROW = 7
"""Bytes of one entry of a master's cross-reference stream: /W [1 4 2]."""

TRAILING_CR_LF = 20
"""Bytes of one entry of a table (ISO 32000-2, 7.5.4)."""


@dataclass(frozen=True)
class Index:
    """Where everything stands in a saved file: kind, place and detail of each number; ``own`` is the index's number.

    ``info``, ``root`` and ``first_id``, in hexadecimal, are what its trailer names.
    """

    offset: int
    entries: list[tuple[int, int, int]]
    own: int | None
    info: int = 0
    root: int = 0
    first_id: str = ""


def read_index(file: BinaryIO, size: int) -> Index:
    """The index of a file that qpdf saved. ValueError where it is of another shape than qpdf's."""
    file.seek(max(0, size - 64))
    found = STARTXREF.search(file.read())
    if found is None:
        raise ValueError("the saved file has no index")
    offset = int(found[1])
    file.seek(offset)
    head = file.read(HEAD)
    table = TABLE.match(head)
    if table is not None:
        file.seek(offset + table.end())
        entries = _table(file.read(int(table[1]) * TRAILING_CR_LF))
        return Index(offset, entries, None, *_trailer(file.read(HEAD)))
    stream = STREAM.match(head)
    if stream is None:
        raise ValueError("the saved file has an index of an unknown kind")
    file.seek(offset + stream.end())
    entries = _stream_entries(stream[2], file.read(_number(stream[2], rb"/Length (\d+)")))
    return Index(offset, entries, int(stream[1]), *_trailer(stream[2]))


def _trailer(text: bytes) -> tuple[int, int, str]:
    """Info, 0 where there is none, root, and the first element of /ID, "" where there is none. ValueError without a root."""
    info, root, first_id = INFO.search(text), ROOT.search(text), FIRST_ID.search(text)
    if root is None:
        raise ValueError("the saved file has no root")
    return int(info[1]) if info else 0, int(root[1]), first_id[1].decode() if first_id else ""


def read_object(file: BinaryIO, index: Index, number: int) -> bytes:
    """The bytes of an object that is no stream and holds no strings, without its number; ValueError where there is none.

    Where it is packed into an object stream (ISO 32000-2, 7.5.7), that must not be encrypted.
    """
    kind, place, detail = index.entries[number]
    if kind == PLAIN:
        file.seek(place)
        return file.read(LARGEST_OBJECT).partition(b" 0 obj\n")[2].partition(b"\nendobj")[0]
    if kind != PACKED:
        raise ValueError(f"object {number} is nowhere")
    file.seek(index.entries[place][1])
    head = STREAM.match(file.read(HEAD))
    if head is None:
        raise ValueError("an object stream is of an unknown kind")
    file.seek(index.entries[place][1] + head.end())
    data = file.read(_number(head[2], rb"/Length (\d+)"))
    content = zlib.decompress(data) if b"/FlateDecode" in head[2] else data
    first, count = _number(head[2], rb"/First (\d+)"), _number(head[2], rb"/N (\d+)")
    starts = [*map(int, content[:first].split()[1::2]), len(content) - first]
    return content[first + starts[detail] : first + starts[detail + 1 if detail + 1 < count else -1]].strip()


def _number(text: bytes, pattern: bytes) -> int:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError("the index lacks an entry")
    return int(found[1])


def _table(data: bytes) -> list[tuple[int, int, int]]:
    rows = (data[start : start + TRAILING_CR_LF] for start in range(0, len(data), TRAILING_CR_LF))
    return [(PLAIN, int(row[:10]), 0) if row[17:18] == b"n" else (FREE, 0, 0) for row in rows]


def _stream_entries(head: bytes, data: bytes) -> list[tuple[int, int, int]]:
    found = re.search(rb"/W ?\[ *(\d+) (\d+) (\d+)", head)
    if found is None or (b"/Index" in head and not re.search(rb"/Index ?\[ *0 ", head)):
        raise ValueError("the index is of an unknown shape")
    widths = [int(width) for width in found.groups()]
    row, count = sum(widths), _number(head, rb"/Size (\d+)")
    if b"/FlateDecode" in head:
        data = zlib.decompress(data)
    if b"/Predictor 12" in head:
        data = _without_predictor(data, row)
    first, second = widths[0], widths[0] + widths[1]
    entries = []
    for start in range(0, row * count, row):
        line = data[start : start + row]
        kind = int.from_bytes(line[:first], "big") if first else PLAIN
        entries.append((kind, int.from_bytes(line[first:second], "big"), int.from_bytes(line[second:], "big")))
    return entries


def _without_predictor(data: bytes, row: int) -> bytes:
    """Undo the PNG predictor "up" (ISO 32000-2, 7.4.4.4), column by column."""
    count = len(data) // (row + 1)
    found = bytearray(count * row)
    for column in range(row):
        sums = accumulate(data[column + 1 :: row + 1])
        found[column::row] = bytes(map((255).__and__, sums))[:count]
    return bytes(found)


def _with_predictor(data: bytes) -> bytes:
    """Each row less the one above it, byte by byte, all bytes of the index at once: as numbers of as many digits."""
    count = len(data) // ROW
    high = int.from_bytes(b"\x80" * len(data), "big")
    values, above = int.from_bytes(data, "big"), int.from_bytes(bytes(ROW) + data[:-ROW], "big")
    # The highest bits stand aside, so that no byte borrows from its neighbour; then each gets the bit that it should have.
    less = ((values | high) - (above & ~high)) ^ ((values ^ above ^ high) & high)
    differences = less.to_bytes(len(data), "big")
    made = bytearray(b"\x02" * (count * (ROW + 1)))
    for column in range(ROW):
        made[column + 1 :: ROW + 1] = differences[column::ROW]
    return bytes(made)


def master_stream(
    index: Index, moved: Sequence[int | None], own_offset: int, tails: Collection[int], root: int, more: bytes = b""
) -> bytes:
    """The cross-reference stream of a master. What is the tail's own is free; there is no Encrypt and no startxref.

    ``more`` are further entries of its dictionary, which make it the index of a whole file.
    """
    rows = bytearray()
    for number, (kind, place, detail) in enumerate(index.entries):
        offset = moved[number]
        if number == index.own:
            rows += struct.pack(">BIH", PLAIN, own_offset, 0)
        elif number in tails or kind == FREE:
            rows += struct.pack(">BIH", FREE, 0, 0xFFFF if number == 0 else 0)
        elif kind == PACKED:
            rows += struct.pack(">BIH", PACKED, place, detail)
        elif offset is not None:
            rows += struct.pack(">BIH", PLAIN, offset, 0)
        else:
            raise ValueError(f"object {number} is nowhere")
    data = zlib.compress(_with_predictor(bytes(rows)), 9)
    head = (
        b"%d 0 obj\n<</Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Filter/FlateDecode/DecodeParms<</Columns 7/Predictor 12>>"
    )
    head %= (index.own, len(moved), root)
    return b"%s%s/Length %d>>stream\n%s\nendstream\nendobj\n" % (head, more, len(data), data)


def master_table(moved: Sequence[int | None], root: int) -> bytes:
    """The cross-reference table of a master, with a trailer that opens nothing."""
    lines = [b"xref\n0 %d\n" % len(moved), b"0000000000 65535 f \n"]
    for offset in moved[1:]:
        lines.append(b"0000000000 00000 f \n" if offset is None else b"%010d 00000 n \n" % offset)
    return b"".join([*lines, b"trailer\n<</Size %d/Root %d 0 R>>\n" % (len(moved), root)])
