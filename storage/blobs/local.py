"""Blobs in a local folder: whole or not there, durable, and never outside the folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from delivery.ports import Blob
from delivery.violations import StoredFile
from storage.blobs.errors import BlobMissing
from storage.blobs.names import PIECE, checked
from storage.blobs.workroom import Workroom, trouble


class LocalBlobs:
    """A folder of files. Names are lower-case path parts; anything else is refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._room = Workroom(folder / "work.tmp")

    def _path(self, name: str) -> Path:
        return self._folder / checked(name)

    def put(self, name: str, source: Path) -> Blob:
        """Store a copy of the file under ``name``: written beside, synced, renamed, folder synced."""
        target = self._path(name)
        part = self._room.part("put")
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
            raise trouble(error) from error
        finally:
            # A failed rename leaves the part; a good one has taken it away.
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return Blob(name, digest.hexdigest(), size)

    def open(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` in pieces of at most 256 KiB; BlobMissing at once when it is not there."""
        file = self.file(name)

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

    def file(self, name: str) -> BinaryIO:
        """The file itself, open for reading; BlobMissing when it is not there."""
        try:
            return self._path(name).open("rb", buffering=0)
        except FileNotFoundError:
            raise BlobMissing(name) from None
        except OSError as error:
            raise trouble(error) from error

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        """The file itself; callers only read it."""
        if not self.exists(name):
            raise BlobMissing(name)
        yield self._path(name)

    def exists(self, name: str) -> bool:
        """Whether the blob is there. Unavailable where the disk cannot tell: that does not mean that it is lost."""
        try:
            return S_ISREG(self._path(name).stat().st_mode)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise trouble(error) from error

    def remove(self, name: str) -> None:
        """Forget the blob."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise trouble(error) from error

    def workspace(self) -> AbstractContextManager[Path]:
        """A private folder on the same disk, removed afterwards."""
        return self._room.workspace()

    def sweep(self, older_than: float) -> int:
        """Remove what a killed process left in the work folder before the given time stamp; returns how much."""
        return self._room.sweep(older_than)

    def listed(self, prefix: str = "") -> Iterator[StoredFile]:
        """Every blob whose name begins so, folder by folder, sorted by the bytes of the names."""
        try:
            yield from self._below(self._folder, "", prefix)
        except OSError as error:
            raise trouble(error) from error

    def _below(self, folder: Path, above: str, prefix: str) -> Iterator[StoredFile]:
        with os.scandir(folder) as entries:
            # A folder stands where its files do: "a/b" comes after "a-b" and before "a.b".
            found = sorted(entries, key=lambda entry: os.fsencode(entry.name + "/" * entry.is_dir()))
        for entry in found:
            name = above + entry.name
            if entry.is_dir():
                if name != self._room.folder.name and (name.startswith(prefix) or prefix.startswith(f"{name}/")):
                    yield from self._below(Path(entry.path), f"{name}/", prefix)
            elif name.startswith(prefix):
                with suppress(FileNotFoundError):
                    known = entry.stat()
                    yield StoredFile(name, known.st_size, known.st_mtime)

    def unfinished(self, older_than: float) -> tuple[str, ...]:
        """What a killed process left in the work folder before the given time stamp."""
        return tuple(sorted(f"{self._room.folder.name}/{path.name}" for path in self._room.left(older_than)))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
