"""Blobs in a local folder: whole or not there, durable, and never outside the folder."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from delivery.errors import StorageFull, Unavailable
from delivery.ports import Blob
from storage.blobs.errors import BlobMissing

PIECE = 256 * 1024
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}(/[a-z0-9][a-z0-9._-]{0,120}){0,3}")
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalBlobs:
    """A folder of files. Names are lower-case path parts; anything else is refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._work = folder / "work.tmp"
        self._work.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name) or ".." in name or name.startswith("work.tmp"):
            raise ValueError(f"not a blob name: {name!r}")
        return self._folder / name

    def put(self, name: str, source: Path) -> Blob:
        """Store a copy of the file under ``name``: written beside, synced, renamed, folder synced."""
        target = self._path(name)
        part = self._work / f"put-{secrets.token_hex(8)}"
        digest, size = hashlib.sha256(), 0
        try:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with source.open("rb") as reading, part.open("xb") as writing:
                while piece := reading.read(PIECE):
                    digest.update(piece)
                    size += len(piece)
                    writing.write(piece)
                writing.flush()
                os.fsync(writing.fileno())
            part.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise _trouble(error) from error
        finally:
            # A failed rename leaves the part; a good one has taken it away.
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return Blob(name, digest.hexdigest(), size)

    def open(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` in pieces of at most 256 KiB; BlobMissing at once when it is not there."""
        try:
            file = self._path(name).open("rb")
        except FileNotFoundError:
            raise BlobMissing(name) from None
        except OSError as error:
            raise _trouble(error) from error

        def pieces() -> Iterator[bytes]:
            left = length
            with file:
                file.seek(start)
                while left is None or left > 0:
                    piece = file.read(PIECE if left is None else min(PIECE, left))
                    if not piece:
                        return
                    left = None if left is None else left - len(piece)
                    yield piece

        return pieces()

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """The file itself; callers only read it."""
        path = self._path(name)
        if not path.is_file():
            raise BlobMissing(name)
        yield path

    def exists(self, name: str) -> bool:
        """Whether the blob is there."""
        return self._path(name).is_file()

    def remove(self, name: str) -> None:
        """Forget the blob."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise _trouble(error) from error

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder on the same disk, removed afterwards."""
        folder = self._work / secrets.token_hex(8)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise _trouble(error) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, older_than: float) -> int:
        """Remove what a killed process left in the work folder before the given time stamp; returns how much."""
        swept = 0
        for path in self._work.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < older_than:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    swept += 1
        return swept


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _trouble(error: OSError) -> Unavailable:
    if error.errno in FULL:
        return StorageFull("storage-full", "The disk is full. What was stored before is safe; try again later.", 60)
    return Unavailable("blob-store", "The blob store cannot be used now. Nothing was lost; try again later.", 30)
