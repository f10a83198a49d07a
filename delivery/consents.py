"""What people agreed to before a copy was made: declarations that were signed, fees that were accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Declaration:
    """One signed declaration. ``statements`` maps each code to the words and their version; ``signed`` is the sealed name."""

    request: str
    rule: str
    agreement: str
    agreement_version: int
    jurisdiction: str
    library_id: str
    reader_key: str
    signed: bytes
    signed_at: datetime
    language: str
    statements: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fee:
    """One fee that was accepted. ``amount`` is decimal text. ``standing`` is accepted, due (supplied) or void (not supplied)."""

    request: str
    rule: str
    agreement: str
    agreement_version: int
    library_id: str
    reader_key: str
    amount: str
    currency: str
    accepted_by: str
    accepted_at: datetime
    standing: str = "accepted"
    due_at: datetime | None = None
    way: str = "library-invoice"
    reference: str = ""
