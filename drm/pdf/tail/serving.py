"""Master and tail as one file, for what cannot take a copy in parts."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from drm.pdf.tail.values import Tail

PIECE = 256 * 1024
NOT_HERE = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
"""What copy_file_range(2) says between file systems, or on one, that cannot do it."""


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
