"""Writes the objects of a tail and its index (ISO 32000-2, 7.3, 7.5.4, 7.5.6 and 7.5.8)."""

from __future__ import annotations

import functools
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import deflate

from drm.pdf.tail.crypt import cbc_chain, padded

Cipher = Callable[[int, bytes], bytes]
OFFSETS = {2: "H", 4: "I"}
"""How whole numbers of so many bytes are written."""


def sealing(file_key: bytes, seed: bytes, bound: bytes) -> Cipher:
    """Encrypts strings and streams. The vector follows from copy, object and content, so a copy is always the same bytes.

    Setting up a cipher takes longer than encrypting a stamp, so one chain serves a whole copy: a keyed digest (BLAKE2b,
    RFC 7693) of copy, object and content, encrypted with what went before, comes out as the vector of what follows it.
    """
    chain = cbc_chain(file_key)
    start = hashlib.blake2b(bound, key=seed, digest_size=16)

    def seal(number: int, data: bytes) -> bytes:
        digest = start.copy()
        digest.update(b"|%d|%s" % (number, data))
        return chain(digest.digest() + padded(data))

    return seal


def clear(number: int, data: bytes) -> bytes:
    """The data as it is, for copies that are not encrypted."""
    return data


@dataclass(frozen=True)
class Block:
    """Objects one after another, and where each begins in them."""

    data: bytes
    places: tuple[tuple[int, int], ...]


class TailWriter:
    """Gathers objects from the offset where the master ends; numbers from ``free`` on are new."""

    def __init__(self, offset: int, free: int, cipher: Cipher) -> None:
        self._parts: list[bytes] = []
        self._offset = offset
        self._cipher = cipher
        self.entries: dict[int, int] = {}
        self.free = free

    @property
    def length(self) -> int:
        """Where the next object begins."""
        return self._offset

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

    def add_all(self, block: Block) -> None:
        """Write objects that are ready, as they stand."""
        for number, place in block.places:
            self.entries[number] = self._offset + place
        self._parts.append(block.data)
        self._offset += len(block.data)

    def stream(self, number: int, entries: bytes, data: bytes) -> int:
        """Write one stream, encrypted where the copy is; its number."""
        sealed = self._cipher(number, data)
        return self.add(number, b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(sealed), sealed))

    def finish_stream(self, trailer: bytes) -> bytes:
        """Everything, with a cross-reference stream of an object number of its own.

        Its rows hold offsets alone, in as many bytes as they need: kind and generation have the values that fields of no
        width mean (7.5.8.3).
        """
        number, offset = self.number(), self._offset
        self.entries[number] = offset
        numbers = tuple(sorted(self.entries))
        width = 2 if offset < 1 << 16 else 4
        rows = struct.pack(f">{len(numbers)}{OFFSETS[width]}", *map(self.entries.__getitem__, numbers))
        form = (self.free, width, _index(numbers), trailer, len(rows))
        head = b"<</Type/XRef/Size %d/W[0 %d 0]/Index[%s]%s/Length %d>>" % form
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

    def block(self) -> Block:
        """What was written so far, to be written again elsewhere; the writer began at 0."""
        return Block(b"".join(self._parts), tuple(self.entries.items()))


@functools.lru_cache(maxsize=1024)
def _index(numbers: tuple[int, ...]) -> bytes:
    """The runs of these numbers as /Index has them."""
    return b" ".join([b"%d %d" % run for run in _ranges(numbers)])


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First number and length of each unbroken run."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last - first + 1
            first = number
        last = number
    yield first, last - first + 1


LEVEL = 6
"""Of libdeflate. On some hundred bytes that never came before it takes two thirds of zlib's time, on a font half of it, and finds more."""


def packed(content: bytes) -> bytes:
    """The content as a zlib stream (RFC 1950)."""
    return bytes(deflate.zlib_compress(content, LEVEL))


packed_again = functools.lru_cache(maxsize=1024)(packed)
"""The same for what many copies have alike."""

LONGEST_STORED = 0xFFFF
"""Bytes that a stored block may hold."""


def packed_between(before: bytes, own: bytes, after: bytes) -> bytes:
    """``before + own + after`` deflated, where many copies differ in ``own`` only.

    What stands around it is deflated once and kept; ``own`` goes in between as a stored block (RFC 1951, 3.2.4), where it
    is no longer than such a block may be, so that nothing is deflated for one copy.
    """
    if len(own) > LONGEST_STORED:
        return packed(before + own + after)
    lengths = struct.pack("<HH", len(own), len(own) ^ LONGEST_STORED)
    check = struct.pack(">I", zlib.adler32(after, zlib.adler32(own, zlib.adler32(before))))
    return b"".join((_opening(before), lengths, own, _closing(before, len(own), after), check))


@functools.lru_cache(maxsize=512)
def _opening(content: bytes) -> bytes:
    """The head of a zlib stream (RFC 1950) and the content, up to the lengths of a stored block that follows.

    zlib ends what it flushes with an empty stored block; its lengths are left out.
    """
    packing = zlib.compressobj(9, zlib.DEFLATED, 15, 9)
    return (packing.compress(content) + packing.flush(zlib.Z_SYNC_FLUSH))[:-4]


@functools.lru_cache(maxsize=512)
def _closing(before: bytes, length: int, content: bytes) -> bytes:
    """The content as the last blocks of a stream, less its checksum. It refers to ``before``, past ``length`` bytes of which
    nothing is known but that it must not refer to them: they stand as zeros, of which the content then may have none."""
    known = b"" if b"\0" in content else before + bytes(length)
    packing = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=known)
    return packing.compress(content) + packing.flush()
