"""The light check of a tail before it is recorded: its index leads to its objects, its lengths are true."""

from __future__ import annotations

import hashlib
import re
import struct

from drm.pdf.tail.crypt import quoted
from drm.pdf.tail.values import Master, Tail
from drm.pdf.tail.writing import OFFSETS
from drm.pdf.values import PdfRefused

END = re.compile(rb"startxref\n(\d+)\n%%EOF\n\Z")
STREAM = re.compile(rb"/Length (\d+)>>stream\n")
INDEX = re.compile(
    rb"\d+ 0 obj\n<</Type/XRef/Size (\d+)/W\[0 ([24]) 0\]/Index\[([\d ]+)\]/Root.*?/Length (\d+)>>stream\n", re.S
)
ROW = re.compile(rb"(\d{10}) 00000 n \n")
TRAILER = re.compile(rb"trailer\n<</Size (\d+)/Root ")
SECTION = re.compile(rb"(\d+) (\d+)\n")
STRING = rb"\(((?:[^\\()\r]|\\[\\()]|\\015)*)\)"
ENCRYPT = re.compile(
    rb"\d+ 0 obj\n<</Filter/Standard/V 5/R 6/Length 256/CF<<.*?/StrF/StdCF/P -\d+/U%s/UE%s/O%s/OE%s/Perms%s>>\nendobj\n"
    % ((STRING,) * 5),
    re.S,
)
LENGTHS = (48, 32, 48, 32, 16)
"""Bytes of /U, /UE, /O, /OE and /Perms (ISO 32000-2, table 21)."""


ID_BYTES = 16
"""Bytes of each element of /ID as we make it."""


def check_tail(master: Master, tail: Tail) -> None:
    """PdfRefused ``output-invalid`` with the first thing wrong in a tail. Takes well under a millisecond; opens nothing."""
    data = tail.data
    if tail.master_id != master.id or tail.length != master.base_len + len(data):
        raise _wrong("belongs to another master")
    if hashlib.sha256(data).hexdigest() != tail.sha256:
        raise _wrong("has other bytes than were made")
    end = END.search(data[-64:])
    if end is None:
        raise _wrong("does not end as a PDF ends")
    start = int(end[1]) - master.base_len
    if not 0 <= start < len(data):
        raise _wrong("has its index elsewhere")
    read = _table if master.layout == "classic" else _stream
    entries, size = read(data, start)
    if size != max(master.size, max(entries, default=0) + 1):
        raise _wrong("counts its objects wrongly")
    trailer = re.search(_trailer(master), data[start:], re.S)
    if trailer is None or _length(trailer[1]) != ID_BYTES:
        raise _wrong("has a trailer of another shape")
    for number, offset in entries.items():
        _check_object(data, number, offset - master.base_len)
    _check_owned(master, entries)
    if master.encrypted:
        _check_encrypt(data, entries[master.encrypt] - master.base_len)


def _wrong(what: str) -> PdfRefused:
    return PdfRefused("output-invalid", f"The tail {what}.")


def _trailer(master: Master) -> bytes:
    """What stands in the dictionary of the index, up to its end."""
    first, encrypt = (
        re.escape(quoted(master.first_id)),
        b"/Encrypt %d 0 R" % master.encrypt if master.encrypted else b"",
    )
    known = b"/Root %d 0 R/Info %d 0 R/Prev %d/ID\\[%s%s\\]%s"
    end = rb">>\nstartxref\n" if master.layout == "classic" else rb"/Length \d+>>stream\n"
    return known % (master.root, master.info, master.prev, first, STRING, encrypt) + end


def _stream(data: bytes, start: int) -> tuple[dict[int, int], int]:
    """The offset of each object, and /Size."""
    head = INDEX.match(data, start)
    if head is None:
        raise _wrong("has an index of another kind")
    width, numbers, length = int(head[2]), list(map(int, head[3].split())), int(head[4])
    end = head.end() + length
    runs = zip(numbers[::2], numbers[1::2], strict=False)
    # a length that were believed before it is known to be the whole could be made to fill the memory
    if len(numbers) % 2 or width * sum(numbers[1::2]) != length:
        raise _wrong("has an index of another length")
    named = [number for first, count in runs for number in range(first, first + count)]
    rows = data[head.end() : end]
    if not data.startswith(b"\nendstream\nendobj\nstartxref\n", end):
        raise _wrong("has an index of another shape")
    offsets = [offset for (offset,) in struct.iter_unpack(f">{OFFSETS[width]}", rows)]
    return dict(zip(named, offsets, strict=True)), int(head[1])


def _table(data: bytes, start: int) -> tuple[dict[int, int], int]:
    """The offset of each object, and /Size."""
    if not data.startswith(b"xref\n", start):
        raise _wrong("has an index of another kind")
    entries, position = {}, start + 5
    while (section := SECTION.match(data, position)) is not None:
        position = section.end()
        for number in range(int(section[1]), int(section[1]) + int(section[2])):
            row = ROW.match(data, position)
            if row is None:
                raise _wrong("has an index of another shape")
            entries[number] = int(row[1])
            position += 20
    trailer = TRAILER.match(data, position)
    if trailer is None:
        raise _wrong("has a trailer of another shape")
    return entries, int(trailer[1])


def _check_object(data: bytes, number: int, start: int) -> None:
    if start < 0 or not data.startswith(b"%d 0 obj\n" % number, start):
        raise _wrong(f"has object {number} elsewhere")
    stream = STREAM.search(data, start, data.find(b"\nendobj\n", start))
    if stream is not None and not data.startswith(b"\nendstream\nendobj\n", stream.end() + int(stream[1])):
        raise _wrong(f"tells a wrong length of object {number}")


def _check_encrypt(data: bytes, start: int) -> None:
    found = ENCRYPT.match(data, start)
    if found is None or tuple(map(_length, found.groups())) != LENGTHS:
        raise _wrong("has no Encrypt dictionary that could be read")


def _length(escaped: bytes) -> int:
    """How many bytes stand for themselves in a literal string."""
    return len(re.sub(rb"\\(?:015|.)", b".", escaped, flags=re.S))


def _check_owned(master: Master, entries: dict[int, int]) -> None:
    owned = {master.root, master.info, master.metadata, master.resources, *master.cover}
    owned |= {form.number for form in master.forms} | ({master.encrypt} if master.encrypted else set())
    if not owned <= set(entries):
        raise _wrong("lacks an object of the master")
