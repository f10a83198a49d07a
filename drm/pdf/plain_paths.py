"""Paths for the PDF libraries, which know UTF-8 only, while a file's name may be any bytes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_plain(path: Path) -> bool:
    """Whether every library can take this path."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """The path itself, or a copy under a plain name while the block lasts."""
    if is_plain(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="rushlight-") as folder:
        yield Path(shutil.copyfile(path, Path(folder) / "file.pdf"))


@contextmanager
def writable(path: Path) -> Iterator[Path]:
    """The path itself, or a plain one whose file is brought to ``path`` at the end of the block."""
    if is_plain(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="rushlight-") as folder:
        plain = Path(folder) / "file.pdf"
        yield plain
        shutil.copyfile(plain, path)
