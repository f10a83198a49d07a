"""A folder that keeps checkpoints, for a disk or a share that the service may only add to."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from delivery.log_places import PlaceFailed, Seen, is_there
from drm.audit.checkpoints import LARGEST

NAME = "checkpoint-{:020d}"
NAMED = re.compile(r"checkpoint-([0-9]{20})")


class FolderPlace:
    """One file for each checkpoint; none is ever replaced."""

    every_seconds = 0

    def __init__(self, folder: Path) -> None:
        self.name = f"folder:{folder}"
        self._folder = folder

    def give(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> str:
        """Write the checkpoint durably under its size, where it continues the newest that lies there."""
        if is_there(self.newest(), note, old, prove):
            return ""
        size = int(note.split(b"\n")[1])
        path = self._folder / NAME.format(size)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                return ""
            with part.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise PlaceFailed(f"cannot be written ({error.strerror})") from None
        return ""

    def newest(self) -> tuple[int, bytes | None]:
        """The size and the note of the last file."""
        return next(self._notes(self._sizes()[:1]), (0, None))

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """All files."""
        sizes = self._sizes()
        return Seen(sizes[0] if sizes else 0, self._notes(sizes))

    def _sizes(self) -> list[int]:
        """The sizes of all checkpoints, the largest first. A folder that is not there yet has none."""
        try:
            names = os.listdir(self._folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise PlaceFailed(f"cannot be read ({error.strerror})") from None
        found = (int(match[1]) for match in map(NAMED.fullmatch, names) if match)
        return sorted((size for size in found if size <= LARGEST), reverse=True)

    def _notes(self, sizes: list[int]) -> Iterator[tuple[int, bytes]]:
        for size in sizes:
            try:
                yield size, (self._folder / NAME.format(size)).read_bytes()
            except OSError as error:
                raise PlaceFailed(f"cannot be read ({error.strerror})") from None
