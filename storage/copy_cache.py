"""Copies written out as files of their own for a web server or a viewer: within bounds, and only for a while."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from delivery.outgoing import FileSlice, Part, close

FICLONE = 0x40049409
"""ioctl_ficlone(2): the new file shares the old one's blocks."""
MAKINGS = 2
"""Files that are written at the same time; whoever comes third is told to do without."""
IN_USE = 10.0
"""Seconds after its last use in which a file is not pushed out: somebody may be about to open it."""


class CopyCache:
    """A folder of at most ``most_bytes``, files that are being written included. What was used longest ago goes first.

    Several processes may share it. A file that somebody has open may go: he reads it to its end. Files of an earlier boot are never used,
    because nothing is synced.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most = most_bytes
        self._making: set[str] = set()
        self._lock = threading.Lock()
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        self._boot = hashlib.sha256(boot).hexdigest()[:12]

    def _path(self, key: str) -> Path:
        return self.folder / f"{self._boot}-{hashlib.sha256(key.encode()).hexdigest()}"

    def find(self, key: str) -> Path | None:
        """The file for ``key``, if there is one; it counts as used now."""
        path = self._path(key)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def make(self, key: str, size: int, parts: Callable[[], Iterator[Part]]) -> Path | None:
        """The file for ``key``, written from ``parts`` if need be: there whole or not at all.

        None where it does not fit, the disk is in trouble, or it is being written at this moment: then do without.
        Errors of the source go through.
        """
        found = self.find(key)
        if found is not None or size > self._most or not self._begin(key):
            return found
        try:
            return self._write(self._path(key), size, parts)
        finally:
            with self._lock:
                self._making.discard(key)

    def _begin(self, key: str) -> bool:
        with self._lock:
            if key in self._making or len(self._making) >= MAKINGS:
                return False
            self._making.add(key)
            return True

    def _write(self, path: Path, size: int, parts: Callable[[], Iterator[Part]]) -> Path | None:
        part = self.folder / f".part-{secrets.token_hex(8)}"
        source = parts()
        try:
            with self._reserved(part, size) as out:
                if out is None or _fill(out, source, size) != size:
                    return None
                part.replace(path)
            return path
        except OSError:
            return None
        finally:
            close(source)
            part.unlink(missing_ok=True)

    @contextmanager
    def _reserved(self, part: Path, size: int) -> Iterator[int | None]:
        """A new file that has its length from the start, so that it counts; None where there is no room for it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        with self._alone() as lock:
            out = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
            fcntl.flock(out, fcntl.LOCK_EX)  # held while we live: tells an unfinished file from one left behind
            has_room = self._make_room(lock, size, os.fstat(out).st_mtime)
            if has_room:
                os.ftruncate(out, size)
        try:
            yield out if has_room else None
        finally:
            os.close(out)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)

    def _make_room(self, lock: int, size: int, now: float) -> bool:
        """Whether there is room for so many bytes, after files were pushed out if need be.

        The lock's file notes what is held at most: files that went otherwise still count in it. Only where that is not enough, or
        was noted before this boot, are the files counted, so that a copy costs the same however many are kept.
        """
        boot, _, noted = os.pread(lock, 80, 0).decode("ascii", "replace").partition(" ")
        held = int(noted) if boot == self._boot and noted.strip().isdigit() else self._most
        if held + size > self._most:
            held = self._pushed_out(size, now)
        has_room = held + size <= self._most
        os.pwrite(lock, f"{self._boot} {held + size * has_room:<40}".encode(), 0)
        return has_room

    def _pushed_out(self, size: int, now: float) -> int:
        """Push out what is not in use, the oldest first, until there is room; how many bytes are held then."""
        entries = dict(_entries(self.folder))
        for path in [path for path in entries if _is_left_behind(path, self._boot)]:
            path.unlink(missing_ok=True)
            del entries[path]
        held = sum({stat.st_ino: stat.st_size for stat in entries.values()}.values())
        for path, stat in sorted(entries.items(), key=lambda entry: entry[1].st_mtime):
            if held + size <= self._most:
                break
            if stat.st_mtime < now - IN_USE and not path.name.startswith("."):
                path.unlink(missing_ok=True)
                held -= stat.st_size
        return held

    @contextmanager
    def held(self, key: str, size: int, parts: Callable[[], Iterator[Part]]) -> Iterator[Path | None]:
        """Like ``make``, and the file stays for as long as the context lasts."""
        link = self.folder / f".used-{secrets.token_hex(8)}"
        path = self.make(key, size, parts)
        try:
            if path is not None:
                link.hardlink_to(path)
            yield link if path is not None else None
        finally:
            link.unlink(missing_ok=True)

    def sweep(self, older_than: float) -> int:
        """Remove what was last used before the given time stamp; returns how much."""
        swept = 0
        for path, stat in _entries(self.folder) if self.folder.is_dir() else ():
            if stat.st_mtime < older_than:
                path.unlink(missing_ok=True)
                swept += 1
        return swept


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.name != ".lock":
                yield path, path.stat()


def _is_left_behind(path: Path, boot: str) -> bool:
    """Whether a file is of another boot, or unfinished and nobody's."""
    if not path.name.startswith("."):
        return not path.name.startswith(f"{boot}-")
    if not path.name.startswith(".part-"):
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is being written, or has just become a file
        return False
    return True


def _fill(out: int, parts: Iterator[Part], size: int) -> int:
    at = 0
    for part in parts:
        if isinstance(part, FileSlice):
            at += _copy(out, at, part)
            if at == part.length:  # a shared file may be longer than its part
                os.ftruncate(out, size)
        else:
            at += os.pwrite(out, part, at)
    return at


def _copy(out: int, at: int, part: FileSlice) -> int:
    """Copy a slice without its bytes passing through us where the file system can; returns how many bytes came."""
    source, copied = part.file.fileno(), 0
    if at == part.start == 0 and os.fstat(source).st_size >= part.length and _clone(source, out):
        return part.length
    with suppress(OSError):
        while copied < part.length and (
            more := os.copy_file_range(source, out, part.length - copied, part.start + copied, at + copied)
        ):
            copied += more
    for piece in FileSlice(part.file, part.start + copied, part.length - copied).read():
        copied += os.pwrite(out, piece, at + copied)
    return copied


def _clone(source: int, out: int) -> bool:
    try:
        fcntl.ioctl(out, FICLONE, source)
    except OSError:
        return False
    return True
