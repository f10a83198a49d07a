"""How files are named in the store: by what they are and their digest. Whoever names one, or finds one by its row, asks here."""

from __future__ import annotations

import re

SOURCES, MASTERS = "sources", "masters"
SOURCE = re.compile(SOURCES + r"/[0-9a-f]{2}/([0-9a-f]{64})\.pdf")


def source_blob(sha256: str) -> str:
    """The name of a file that was found or handed in."""
    return _named(SOURCES, sha256)


def master_blob(master: str) -> str:
    """The name of a prepared document's file."""
    return _named(MASTERS, master)


def source_in(blob: str) -> str | None:
    """The digest in the name of a source; None for any other name."""
    told = SOURCE.fullmatch(blob)
    return None if told is None else told[1]


def _named(kind: str, digest: str) -> str:
    return f"{kind}/{digest[:2]}/{digest}.pdf"
