"""What people agreed to before a copy was made: declarations that were signed, fees that were accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


def seal_record(request: str, rule: str) -> str:
    """The record that a signer's name is part of: sealed for one declaration it opens in no other."""
    return f"declaration:{request}:{rule}"


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

    @property
    def record(self) -> str:
        """What the name is sealed to."""
        return seal_record(self.request, self.rule)


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
