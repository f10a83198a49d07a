"""Where the corpus of real files lies, for the tests that use it when it is there."""

from __future__ import annotations

import os
from pathlib import Path

CORPUS = Path(
    os.environ.get("RUSHLIGHT_CORPUS", Path(__file__).resolve().parents[1] / ".." / "shared" / "corpus")
).resolve()


def corpus_files(pattern: str, largest: int | None = None) -> list[Path]:
    """Files of the corpus that match a glob such as ``pdf/**/*.pdf``; empty when there is no corpus.

    ``largest`` leaves out files above that many bytes, unless ``make corpus`` asks for all.
    """
    if not CORPUS.is_dir():
        return []
    files = sorted(path for path in CORPUS.glob(pattern) if path.is_file())
    if os.environ.get("RUSHLIGHT_CORPUS_WHOLE") == "1":
        return files
    return [path for path in files if largest is None or path.stat().st_size <= largest]
