"""Makes a master of a saved file: everything but what the tail supplies, and an index in which that is free."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drm.pdf.tail.index import PLAIN, Index, master_stream, master_table, read_index
from drm.pdf.values import PdfRefused

PIECE = 256 * 1024
LARGEST = 2**32 - 2**24
"""Bytes of a master at most: offsets take four bytes, and a tail must still fit behind."""


@dataclass(frozen=True)
class Cut:
    """A master as it was written: its SHA-256, its length, the offset of its index, the first number that is not used."""

    sha256: str
    length: int
    prev: int
    size: int


class _Sink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.length = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.digest.update(data)
        self.length += len(data)

    def copy(self, source: BinaryIO, start: int, end: int) -> None:
        """A range of the source, piece by piece: a scan must not fill the memory."""
        source.seek(start)
        while start < end:
            piece = source.read(min(PIECE, end - start))
            if not piece:
                raise ValueError("the saved file ends early")
            self.write(piece)
            start += len(piece)


def cut_master(saved: Path, out: Path, tails: Collection[int], root: int) -> Cut:
    """Write the master of ``saved`` to ``out``, leaving out the objects ``tails``, which the tail will supply."""
    size = saved.stat().st_size
    if size > LARGEST:
        raise PdfRefused("too-large", "The prepared file has more than four gigabytes.")
    with saved.open("rb") as source, out.open("wb") as target:
        index = read_index(source, size)
        sink = _Sink(target)
        moved = _copy_objects(source, sink, index, tails)
        prev = sink.length
        if index.own is None:
            sink.write(master_table(moved, root))
        else:
            sink.write(master_stream(index, moved, prev, tails, root))
    return Cut(sink.digest.hexdigest(), sink.length, prev, len(index.entries))


def _copy_objects(source: BinaryIO, sink: _Sink, index: Index, tails: Collection[int]) -> list[int | None]:
    """Copy what stays, in long ranges; the new offset of each object, None for the others."""
    places = sorted(
        (place, number)
        for number, (kind, place, _) in enumerate(index.entries)
        if kind == PLAIN and number != index.own
    )
    moved: list[int | None] = [None] * len(index.entries)
    start, shift = 0, 0
    ends = [place for place, _ in places[1:]] + [index.offset]
    for (place, number), end in zip(places, ends, strict=True):
        if number in tails:
            sink.copy(source, start, place)
            start, shift = end, shift + end - place
        else:
            moved[number] = place - shift
    sink.copy(source, start, index.offset)
    return moved
