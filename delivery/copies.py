"""A delivery: one reader's copy, its link and its download windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CopyState(StrEnum):
    """Whether a copy may be opened. The server's row decides, never the token."""

    LIVE = "live"
    REVOKED = "revoked"
    REPLACED = "replaced"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Delivery:
    """A published copy. ``opens_limit`` None means no limit; ``expires_at`` None means no end.

    ``key`` is random and stands in the link's token, so that a new link (resend after a leak) can be told from an old one.
    ``terms`` holds what the reader was shown: texts and the link and copy terms. The copy is the first ``base_bytes`` of the
    blob (all of it where None) and the tail that is kept beside the row; ``master`` names the prepared document, if any.
    ``sha256`` is that of the whole file, or of "master id|SHA-256 of the tail" where there is a master.
    """

    number: str
    request: str
    library_id: str
    reader_id: str | None
    reader_key: str
    state: CopyState
    blob: str
    sha256: str
    bytes: int
    pages: int
    filename: str
    issued_at: datetime
    expires_at: datetime | None
    opens_limit: int | None
    opens_used: int = 0
    machine_hits: int = 0
    same_reader_only: bool = False
    open_access: bool = False
    engine: str = "rewrite"
    source_id: str = ""
    source_sha256: str = ""
    agreements: tuple[tuple[str, int], ...] = ()
    stamp: Mapping[str, object] = field(default_factory=dict)
    terms: Mapping[str, object] = field(default_factory=dict)
    message_id: str = ""
    ended_at: datetime | None = None
    ended_reason: str = ""
    blob_removed_at: datetime | None = None
    master: str = ""
    base_bytes: int | None = None


@dataclass(frozen=True)
class Behind:
    """What a window's address leads to, seen at one moment: the window, its copy with the copy's tail, and whether the window
    served the network before that asks now."""

    window: Window
    delivery: Delivery
    tail: bytes
    known: bool


@dataclass(frozen=True)
class Window:
    """A download window: the time in which one open of a delivery may be fetched, however many requests that takes."""

    secret_hash: str
    delivery: str
    opened_at: datetime
    ends_at: datetime
