"""A copy that is stored nowhere: any range of master and tail as if they were one file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drm.pdf.tail.values import Tail, etag_of

PIECE = 256 * 1024
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
    assemble(master, tail.length - len(tail.data), tail.data, out, durable=True)


def assemble(master: Path, base_len: int, tail: bytes, out: Path, *, durable: bool = False) -> None:
    """Write master and tail to ``out``; the kernel copies the master, sharing its blocks where the file system can.

    ``durable`` waits until the disk has it. OSError where the master has another length than ``base_len``.
    """
    # Plain descriptors: for a small article the buffers of file objects would cost as much as the copying.
    source = os.open(master, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(source).st_size != base_len:
            raise OSError(f"the master {master.name} has another length than its record says")
        target = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            _copy(source, target, base_len)
            _write(target, tail)
            if durable:
                os.fsync(target)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _copy(source: int, target: int, length: int) -> None:
    left = length
    try:
        while left and (copied := os.copy_file_range(source, target, left)):
            left -= copied
    except OSError as error:
        if error.errno not in NOT_HERE:
            raise
        os.lseek(target, length - left, os.SEEK_SET)
        while left and (data := os.pread(source, min(PIECE, left), length - left)):
            _write(target, data)
            left -= len(data)
    if left:
        raise OSError("the master ends before the length that its record says")


def _write(target: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(target, rest) :]
