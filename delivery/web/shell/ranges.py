"""Byte ranges (RFC 9110, 14): one range as such, several as one multipart answer, all else as the whole file."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from delivery.outgoing import Part

MOST_RANGES = 32
"""More ranges in one request than any viewer asks for are answered with the whole file."""
LONGEST = 18
"""Digits of a number that may be a place in a file. What ends further on ends with the file."""
OpenPart = Callable[[int, int], Iterator[Part]]


@dataclass(frozen=True)
class Slice:
    """Some of the bytes: where they start, and how many."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        """The value of Content-Range for this part of ``size`` bytes."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


class Unsatisfiable(ValueError):
    """All ranges lie past the end."""


def wanted(header: str | None, if_range: str | None, etag: str, size: int) -> tuple[Slice, ...]:
    """The parts a GET asks for; none for the whole file.

    A Range we do not understand, one of another copy (If-Range), or one whose parts overlap means the whole file.
    """
    if not header or not header.lower().startswith("bytes=") or (if_range and if_range.strip() != etag):
        return ()
    asked = [part.strip() for part in header[6:].split(",") if part.strip()]
    if not asked or len(asked) > MOST_RANGES:
        return ()
    found = []
    for part in asked:
        first, dash, last = part.partition("-")
        if not dash or not (first or last) or any(end and not _is_number(end) for end in (first, last)):
            return ()
        first, last = _small(first), _small(last)
        if len(first) > LONGEST or (first and last and int(last) < int(first)):
            return ()
        found.append(_slice(first, last, size))
    parts = tuple(part for part in found if part is not None)
    if not parts:
        raise Unsatisfiable
    return () if _overlap(parts) else parts


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _small(text: str) -> str:
    """A number without the noughts before it; of one that is beyond every file only so much that it still is."""
    return (text.lstrip("0") or "0")[: LONGEST + 1] if text else ""


def _slice(first: str, last: str, size: int) -> Slice | None:
    if not first:
        length = min(int(last), size)
        return Slice(size - length, length) if length else None
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    return Slice(start, end - start + 1) if start < size else None


def _overlap(parts: Sequence[Slice]) -> bool:
    ordered = sorted(parts, key=lambda part: part.start)
    return any(one.start + one.length > other.start for one, other in itertools.pairwise(ordered))


@dataclass(frozen=True)
class Multipart:
    """Several parts as one body of type multipart/byteranges, whose length is known before it is sent."""

    parts: tuple[Slice, ...]
    size: int
    boundary: str
    kind: str

    def _head(self, part: Slice) -> bytes:
        return (
            f"\r\n--{self.boundary}\r\nContent-Type: {self.kind}\r\nContent-Range: {part.content_range(self.size)}\r\n\r\n"
        ).encode("ascii")

    @property
    def _foot(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode("ascii")

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return sum(len(self._head(part)) + part.length for part in self.parts) + len(self._foot)

    def body(self, open_part: OpenPart) -> Iterator[Part]:
        """The body; ``open_part`` gives the bytes of one part."""
        for part in self.parts:
            yield self._head(part)
            yield from open_part(part.start, part.length)
        yield self._foot
