"""What lists give: a page of requests or of the log, and how much more there is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.searching import Reach


@dataclass(frozen=True)
class RequestPage:
    """One page of a list, and how many there are in all; of a search how far it went instead."""

    requests: tuple[DocumentRequest, ...]
    total: int
    reach: Reach | None = None


@dataclass(frozen=True)
class LogEntry:
    """An event as the usage log shows it."""

    seq: int
    at: datetime
    kind: str
    actor: str
    library_id: str
    request: str
    delivery: str
    agreements: str
    code: str
    title: str
    reader_key: str
    hash: bytes


@dataclass(frozen=True)
class LogPage:
    """One page of the usage log, and how many events the filter finds; of a search how far it went instead."""

    entries: tuple[LogEntry, ...]
    total: int
    reach: Reach | None = None
