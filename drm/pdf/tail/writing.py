"""Writes the objects of a tail and its index (ISO 32000-2, 7.3, 7.5.4, 7.5.6 and 7.5.8)."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable, Iterator
from itertools import groupby

from drm.pdf.tail.crypt import encrypt_cbc, padded

Cipher = Callable[[int, bytes], bytes]


def sealing(file_key: bytes, seed: bytes, bound: bytes) -> Cipher:
    """Encrypts strings and streams. The vector follows from copy, object and content, so a copy is always the same bytes."""

    def seal(number: int, data: bytes) -> bytes:
        vector = hmac.digest(seed, b"%s|%d|%s" % (bound, number, data), "sha256")[:16]
        return vector + encrypt_cbc(file_key, vector, padded(data))

    return seal


def clear(number: int, data: bytes) -> bytes:
    """The data as it is, for copies that are not encrypted."""
    return data


class TailWriter:
    """Gathers objects from the offset where the master ends; numbers from ``free`` on are new."""

    def __init__(self, offset: int, free: int, cipher: Cipher) -> None:
        self._parts: list[bytes] = []
        self._offset = offset
        self._cipher = cipher
        self.entries: dict[int, int] = {}
        self.free = free

    def number(self) -> int:
        """A number that nothing has yet."""
        self.free += 1
        return self.free - 1

    def add(self, number: int, body: bytes) -> int:
        """Write one object; its number."""
        data = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        self.entries[number] = self._offset
        self._parts.append(data)
        self._offset += len(data)
        return number

    def stream(self, number: int, entries: bytes, data: bytes) -> int:
        """Write one stream, encrypted where the copy is; its number."""
        sealed = self._cipher(number, data)
        return self.add(number, b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(sealed), sealed))

    def string(self, number: int, data: bytes) -> bytes:
        """A string inside the object of this number, in hexadecimal."""
        return b"<%s>" % self._cipher(number, data).hex().encode()

    def finish_stream(self, trailer: bytes) -> bytes:
        """Everything, with a cross-reference stream of an object number of its own."""
        number, offset = self.number(), self._offset
        self.entries[number] = offset
        rows = b"".join(struct.pack(">BIH", 1, self.entries[one], 0) for one in sorted(self.entries))
        index = b" ".join(b"%d %d" % (first, count) for first, count in _ranges(sorted(self.entries)))
        head = b"<</Type/XRef/Size %d/W[1 4 2]/Index[%s]%s/Length %d>>" % (self.free, index, trailer, len(rows))
        self.add(number, b"%sstream\n%s\nendstream" % (head, rows))
        return b"".join([*self._parts, b"startxref\n%d\n%%%%EOF\n" % offset])

    def finish_table(self, trailer: bytes) -> bytes:
        """Everything, with a cross-reference table."""
        lines = [b"xref\n"]
        for first, count in _ranges(sorted(self.entries)):
            lines.append(b"%d %d\n" % (first, count))
            lines += [b"%010d 00000 n \n" % self.entries[number] for number in range(first, first + count)]
        lines.append(b"trailer\n<</Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (self.free, trailer, self._offset))
        return b"".join([*self._parts, *lines])


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """First number and length of each unbroken run."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield members[0], len(members)
