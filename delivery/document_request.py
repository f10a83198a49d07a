"""A reader's request for one article or part of a book, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from delivery.citation import Citation
from delivery.lifecycle import State


@dataclass(frozen=True)
class DocumentRequest:
    """One request. ``typed`` is what the reader wrote, ``citation`` what is known now.

    ``hold`` names what the request waits for: "approval" (a rights officer), "declaration" or "fee" (the reader), else "".
    ``copy_no`` counts the copies made for this request: a replaced copy is a new claim on the ledger. ``decision`` keeps the
    decision with its facts, so that it can be replayed.
    ``purged_at`` says when the record was emptied, its time being over.
    """

    number: str
    library_id: str
    reader_id: str | None
    reader_key: str
    state: State
    typed: Mapping[str, str]
    citation: Citation
    created_at: datetime
    changed_at: datetime
    purpose: str = ""
    language: str = "en"
    via: str = "form"
    hold: str = ""
    reason: str = ""
    reason_text: str = ""
    source_id: str = ""
    assignee_id: str | None = None
    repeat_of: str = ""
    copy_no: int = 1
    approved: str = ""
    delivery: str = ""
    found: Mapping[str, object] = field(default_factory=dict)
    decision: Mapping[str, object] = field(default_factory=dict)
    version: int = 1
    purged_at: datetime | None = None

    @property
    def claim(self) -> str:
        """The name under which this request's current copy stands in the ledger."""
        return f"{self.number}/{self.copy_no}"


@dataclass(frozen=True)
class Try:
    """One source that was asked, and how it ended. ``outcome`` is found, not_found, refused or failed."""

    request: str
    source_id: str
    at: datetime
    outcome: str
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Message:
    """A word between library and reader about a request. ``kind`` is to_reader, from_reader or note (staff only)."""

    request: str
    at: datetime
    kind: str
    author_id: str | None
    author_name: str
    text: str
    id: int = 0


@dataclass(frozen=True)
class QueueFilter:
    """What a librarian wants to see. Empty means everything."""

    view: str = "open"
    text: str = ""
    library_id: str = ""
    assignee_id: str = ""
    language: str = ""
    limit: int = 50
    offset: int = 0
