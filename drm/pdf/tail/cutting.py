"""Makes a master of a saved file: everything but what the tail supplies, sealed where it shall be encrypted, and an index."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drm.pdf.packing import SMALL
from drm.pdf.sealing import Seal, sealed_object
from drm.pdf.tail.index import FREE, PLAIN, Index, master_stream, master_table
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


class Sink:
    """A file that is written once, from its beginning to its end; ``length`` is what it has so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = 0

    def write(self, data: bytes) -> None:
        """Add these bytes."""
        self._file.write(data)
        self.length += len(data)

    def copy(self, source: BinaryIO, length: int) -> None:
        """The next bytes of the source, piece by piece: a scan must not fill the memory."""
        while length:
            piece = source.read(min(PIECE, length))
            if not piece:
                raise ValueError("the saved file ends early")
            self.write(piece)
            length -= len(piece)


class HashingSink(Sink):
    """The same, hashed on the way."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Add these bytes."""
        super().write(data)
        self.digest.update(data)


def cut_master(
    saved: BinaryIO, index: Index, out: Path, tails: Collection[int], root: int, seal: Seal | None
) -> Cut:  # fmt: skip
    """Write the master of a saved file to ``out`` without the objects ``tails``, which the tail will supply.

    What stays is encrypted with ``seal`` where there is one. No two masters are the same, byte for byte: one that was given up
    never stands in the way of the next. Numbers behind those of the saved file may be among ``tails`` too. PdfRefused
    ``too-large`` where offsets would not fit into the index.
    """
    if index.offset > LARGEST:
        raise _too_large()
    entries = index.entries + [(FREE, 0, 0)] * (max(tails) + 1 - len(index.entries))
    whole = Index(index.offset, entries, index.own)
    with out.open("wb", buffering=PIECE) as target:
        sink = HashingSink(target)
        # An encrypted one has a key of its own; what nobody encrypts gets a comment (ISO 32000-2, 7.2.4).
        mark = b"" if seal else b"%%%s\n" % secrets.token_hex(16).encode()
        moved = copy_objects(saved, sink, whole, tails, seal, mark)
        prev = sink.length
        if prev > LARGEST:
            raise _too_large()
        if index.own is None:
            sink.write(master_table(moved, root))
        else:
            sink.write(master_stream(whole, moved, prev, tails, root))
    return Cut(sink.digest.hexdigest(), sink.length, prev, len(entries))


def copy_objects(
    source: BinaryIO, sink: Sink, index: Index, without: Collection[int], seal: Seal | None, mark: bytes = b""
) -> list[int | None]:
    """Copy all objects but those ``without``, sealed where there is a seal; the new offset of each, None for the others.

    ``mark`` stands between the head and the first of them.
    """
    places = sorted(
        (place, number)
        for number, (kind, place, _) in enumerate(index.entries)
        if kind == PLAIN and number != index.own
    )
    tight = index.offset <= SMALL
    moved: list[int | None] = [None] * len(index.entries)
    ends = [place for place, _ in places[1:]] + [index.offset]
    source.seek(0)
    sink.copy(source, places[0][0] if places else index.offset)
    sink.write(mark)
    for (place, number), end in zip(places, ends, strict=True):
        if number in without:
            source.seek(end)
            continue
        moved[number] = sink.length
        if seal is None:
            sink.copy(source, end - place)
        else:
            for piece in sealed_object(source, end - place, seal, tight=tight):
                sink.write(piece)
    return moved


def _too_large() -> PdfRefused:
    return PdfRefused("too-large", "The prepared file has more than four gigabytes.")
