"""What columns of a request repeat of its packed values, so that statements find it: its source's digest, and whom it counts for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from delivery.blob_names import master_blob, source_in


def source_sha256(found: Mapping[str, object]) -> str | None:
    """The digest of the file that was found, by which it is named; None where none was."""
    return source_in(str(found.get("blob") or ""))


def blob_of_master(master: str) -> str:
    """The name of a prepared document's file; nothing where there is none."""
    return master_blob(master) if master else ""


SEVERAL = 0
"""The mark of requests that count for several readers: each of them may be named."""


def counts_for(decision: Mapping[str, object], found: Mapping[str, object]) -> int | None:
    """The mark of the reader whom a stored decision was made for; None where it names nobody."""
    facts = decision.get("facts")
    if found.get("joint") or (isinstance(facts, Mapping) and facts.get("joint_readers")):
        return SEVERAL
    reader = facts.get("reader") if isinstance(facts, Mapping) else None
    key = reader.get("id") if isinstance(reader, Mapping) else None
    return mark_of(str(key)) if key else None


def mark_of(key: str) -> int:
    """Eight bytes for the key under which a reader is counted, or the name of a work: few share them, and who has them alone learns no key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
