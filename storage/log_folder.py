"""A folder that keeps checkpoints, for a disk or a share that the service may only add to."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from delivery.log_places import PlaceFailed, Seen

NAME = "checkpoint-{:020d}"


class FolderPlace:
    """One file for each checkpoint; none is ever replaced."""

    every_seconds = 0

    def __init__(self, folder: Path) -> None:
        self.name = f"folder:{folder}"
        self._folder = folder

    def give(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> str:
        """Write the checkpoint durably under its size."""
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
        """The last file."""
        try:
            names = sorted(path for path in self._folder.glob("checkpoint-*") if path.name[11:].isdecimal())
            return (int(names[-1].name[11:]), names[-1].read_bytes()) if names else (0, None)
        except OSError as error:
            raise PlaceFailed(f"cannot be read ({error.strerror})") from None

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """What the last file says."""
        size, kept = self.newest()
        return Seen(size, () if kept is None else ((size, kept),))
