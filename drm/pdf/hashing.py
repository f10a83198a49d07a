"""The SHA-256 of a file that may be larger than memory."""

from __future__ import annotations

import hashlib
from pathlib import Path

PIECE = 1024 * 1024


def sha256_of(path: Path, length: int | None = None) -> str:
    """In hexadecimal, of the whole file or of its first ``length`` bytes. OSError where it cannot be read."""
    digest, left = hashlib.sha256(), length
    with path.open("rb") as file:
        while piece := file.read(PIECE if left is None else min(PIECE, left)):
            digest.update(piece)
            left = None if left is None else left - len(piece)
    return digest.hexdigest()
