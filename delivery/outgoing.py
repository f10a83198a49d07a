"""Bytes on their way to a reader: in memory, or still in a file that a server may send from without reading it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 256 * 1024
SLICE = 4 * 1024 * 1024
"""A file goes out in slices of at most this many bytes; between two of them it may be asked whether to go on."""


@dataclass(frozen=True)
class FileSlice:
    """Some bytes of an open file. The file's own position is neither used nor moved."""

    file: BinaryIO
    start: int
    length: int

    def read(self) -> Iterator[bytes]:
        """The bytes in small pieces; fewer than promised where the file ends before."""
        at, end = self.start, self.start + self.length
        while at < end and (piece := os.pread(self.file.fileno(), min(PIECE, end - at), at)):
            at += len(piece)
            yield piece


Part = bytes | FileSlice


class FileParts:
    """A part of an open file as slices of ``most`` bytes. Closes the file at its end, or when it is closed itself."""

    def __init__(self, file: BinaryIO, start: int, length: int, most: int = SLICE) -> None:
        self._file = file
        self._most = most
        self._at, self._end = start, start + length

    def __iter__(self) -> Iterator[Part]:
        return self

    def __next__(self) -> Part:
        if self._at >= self._end:
            self.close()
            raise StopIteration
        part = FileSlice(self._file, self._at, min(self._most, self._end - self._at))
        self._at += part.length
        return part

    def close(self) -> None:
        """Let the file go; nothing more comes."""
        self._at = self._end
        self._file.close()

    def __del__(self) -> None:
        self._file.close()


class Chained:
    """Parts from several sources, one source after the other. Closing it closes them all."""

    def __init__(self, *sources: Iterator[Part]) -> None:
        self._sources = sources
        self._parts = itertools.chain.from_iterable(sources)

    def __iter__(self) -> Iterator[Part]:
        return self

    def __next__(self) -> Part:
        return next(self._parts)

    def close(self) -> None:
        """Let go of what the sources hold open."""
        for source in self._sources:
            close(source)


class Outgoing:
    """The body of an answer: any server sees pieces of bytes, and one that knows better takes the parts."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = iter(parts)

    def __iter__(self) -> Iterator[bytes]:
        return flat(self.parts)

    def close(self) -> None:
        """Let go of what the parts hold open."""
        close(self.parts)


def flat(parts: Iterator[Part]) -> Iterator[bytes]:
    """The bytes of the parts, in pieces."""
    for part in parts:
        if isinstance(part, FileSlice):
            yield from part.read()
        else:
            yield part


def close(parts: object) -> None:
    """Close an iterator that can be closed."""
    end = getattr(parts, "close", None)
    if end is not None:
        end()
