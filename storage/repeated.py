"""What columns of a request repeat of its packed values, so that statements find it: its source's blob, and whom it counts for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import func

from storage.models import RequestRow

SOURCE_SHA256 = func.substr(RequestRow.source_blob, len("sources/00/") + 1, 64)
"""The digest of the file that was found, by which its blob is named."""


def source_blob(found: Mapping[str, object]) -> str:
    """The name of the file that was found; nothing where none was."""
    return str(found.get("blob") or "")


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
