"""Private folders for work on files, on a disk of this machine."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from delivery.errors import disk_trouble as trouble

__all__ = ["Workroom", "trouble"]


class Workroom:
    """A folder of private folders. What a killed process leaves in it is swept later."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def part(self, what: str) -> Path:
        """A name nobody else has, for a file that is being written."""
        return self.folder / f"{what}-{secrets.token_hex(8)}"

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder, removed afterwards."""
        folder = self.folder / secrets.token_hex(8)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise trouble(error) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def left(self, older_than: float) -> Iterator[Path]:
        """What was left here before the given time stamp."""
        for path in self.folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < older_than:
                    yield path

    def sweep(self, older_than: float) -> int:
        """Remove what was left here before the given time stamp; returns how much."""
        swept = 0
        for path in self.left(older_than):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                swept += 1
        return swept
