"""The light check of a tail before it is recorded: its index leads to its objects, its lengths are true."""

from __future__ import annotations

import hashlib
import re
import struct

from drm.pdf.tail.values import Master, Tail
from drm.pdf.values import PdfRefused

END = re.compile(rb"startxref\n(\d+)\n%%EOF\n\Z")
STREAM = re.compile(rb"/Length (\d+)>>stream\n")
INDEX = re.compile(
    rb"\d+ 0 obj\n<</Type/XRef/Size \d+/W\[1 4 2\]/Index\[([\d ]+)\]/Root.*?/Length (\d+)>>stream\n", re.S
)
ROW = re.compile(rb"(\d{10}) 00000 n \n")
SECTION = re.compile(rb"(\d+) (\d+)\n")
ENCRYPT = re.compile(
    rb"\d+ 0 obj\n<</Filter/Standard/V 5/R 6/Length 256/CF.*?/P -\d+/U<[0-9a-f]{96}>/UE<[0-9a-f]{64}>"
    rb"/O<[0-9a-f]{96}>/OE<[0-9a-f]{64}>/Perms<[0-9a-f]{32}>>>\nendobj\n",
    re.S,
)


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
    entries = _table(data, start) if master.layout == "classic" else _stream(data, start)
    if not re.search(_trailer(master), data[start:]):
        raise _wrong("has a trailer of another shape")
    for number, offset in entries.items():
        _check_object(data, number, offset - master.base_len)
    _check_owned(master, entries)
    if master.encrypted and not ENCRYPT.match(data, entries[master.encrypt] - master.base_len):
        raise _wrong("has no Encrypt dictionary that could be read")


def _wrong(what: str) -> PdfRefused:
    return PdfRefused("output-invalid", f"The tail {what}.")


def _trailer(master: Master) -> bytes:
    """What stands in the dictionary of the index, up to its end."""
    first, encrypt = master.first_id.hex().encode(), b"/Encrypt %d 0 R" % master.encrypt if master.encrypted else b""
    known = b"/Root %d 0 R/Info %d 0 R/Prev %d/ID\\[<%s><[0-9a-f]{32}>\\]%s"
    end = rb">>\nstartxref\n" if master.layout == "classic" else rb"/Length \d+>>stream\n"
    return known % (master.root, master.info, master.prev, first, encrypt) + end


def _stream(data: bytes, start: int) -> dict[int, int]:
    head = INDEX.match(data, start)
    if head is None:
        raise _wrong("has an index of another kind")
    numbers = list(map(int, head[1].split()))
    named = [
        number
        for first, count in zip(numbers[::2], numbers[1::2], strict=True)
        for number in range(first, first + count)
    ]
    rows = data[head.end() : head.end() + int(head[2])]
    if len(rows) != 7 * len(named):
        raise _wrong("has an index of another length")
    return {number: offset for number, (_, offset, _) in zip(named, struct.iter_unpack(">BIH", rows), strict=True)}


def _table(data: bytes, start: int) -> dict[int, int]:
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
    return entries


def _check_object(data: bytes, number: int, start: int) -> None:
    if start < 0 or not data.startswith(b"%d 0 obj\n" % number, start):
        raise _wrong(f"has object {number} elsewhere")
    stream = STREAM.search(data, start, data.find(b"\nendobj\n", start))
    if stream is not None and not data.startswith(b"\nendstream\nendobj\n", stream.end() + int(stream[1])):
        raise _wrong(f"tells a wrong length of object {number}")


def _check_owned(master: Master, entries: dict[int, int]) -> None:
    owned = {master.root, master.info, master.metadata, master.resources, *master.cover}
    owned |= {form.number for form in master.forms} | ({master.encrypt} if master.encrypted else set())
    if not owned <= set(entries):
        raise _wrong("lacks an object of the master")
