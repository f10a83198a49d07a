"""A copy that is stored nowhere: any range of master and tail as if they were one file."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drm.pdf.tail.values import Tail, etag_of

PIECE = 256 * 1024
MOST_AT_ONCE = 1 << 30
NOT_HERE = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""What copy_file_range(2) says between file systems, or on one, that cannot do it."""


@dataclass(frozen=True)
class SlicedCopy:
    """Master and tail read as one. ``size`` is exact and ``etag`` strong, both known without reading anything."""

    master: Path
    base_len: int
    tail: bytes
    etag: str

    @property
    def size(self) -> int:
        """Bytes of the whole copy."""
        return self.base_len + len(self.tail)

    def read(self, start: int = 0, stop: int | None = None, piece: int = PIECE) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop`` (the end where None), in pieces.

        ValueError for a range outside the copy; OSError where the master is gone or has changed its length, before the
        first piece is given.
        """
        stop = self.size if stop is None else stop
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"bytes {start} to {stop} are not within {self.size}")
        return self._pieces(start, stop, piece)

    def _pieces(self, start: int, stop: int, piece: int) -> Iterator[bytes]:
        if start < self.base_len:
            end = min(stop, self.base_len)
            with self.master.open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != self.base_len:
                    raise OSError(f"the master {self.master.name} has another length than its record says")
                file.seek(start)
                while start < end:
                    data = file.read(min(piece, end - start))
                    if not data:
                        raise OSError(f"the master {self.master.name} ends early")
                    start += len(data)
                    yield data
        for position in range(start - self.base_len, stop - self.base_len, piece):
            yield self.tail[position : min(position + piece, stop - self.base_len)]


def sliced(master: Path, base_len: int, tail: bytes, master_id: str, tail_sha256: str) -> SlicedCopy:
    """A copy from what is stored of it: the master's path and length, the tail's bytes, and both hashes."""
    return SlicedCopy(master, base_len, tail, etag_of(master_id, tail_sha256))


def materialise(master: Path, tail: Tail, out: Path) -> None:
    """Write the whole copy to ``out``, durably."""
    assemble(master, tail.length - len(tail.data), tail.data, out)
    with out.open("rb") as written:
        os.fsync(written.fileno())


def assemble(master: Path, base_len: int, tail: bytes, out: Path) -> None:
    """Write master and tail to ``out``; the kernel copies the master, sharing its blocks where the file system can.

    OSError where the master has another length than ``base_len``.
    """
    with master.open("rb") as source, out.open("wb") as target:
        _copy(source, target)
        if target.seek(0, os.SEEK_END) != base_len:
            raise OSError(f"the master {master.name} has another length than its record says")
        target.write(tail)


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    try:
        while os.copy_file_range(source.fileno(), target.fileno(), MOST_AT_ONCE):
            pass
    except OSError as error:
        if error.errno not in NOT_HERE:
            raise
        source.seek(0)
        target.seek(0)
        shutil.copyfileobj(source, target, PIECE)
