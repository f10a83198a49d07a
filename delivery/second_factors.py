"""What a person proves a sign-in by beside the password: codes of an app, security keys, recovery codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class FactorKind(StrEnum):
    """An app that shows codes, or a security key (also one built into the device)."""

    CODES = "codes"
    KEY = "key"


@dataclass(frozen=True)
class Factor:
    """One enrolled factor. ``secret`` is sealed for codes, the public key for keys; ``credential`` is the key's id in hex.

    ``counter`` is the last step whose code was used, or the key's own count of signatures.
    """

    person_id: str
    kind: FactorKind
    label: str
    secret: bytes
    added_at: datetime
    credential: str = ""
    counter: int = 0
    used_at: datetime | None = None
    id: int = 0


class FactorStore(Protocol):
    """Factors and recovery codes. ``advance`` and ``use_code`` compare and swap: of two at once, one wins."""

    def add(self, factor: Factor) -> None: ...
    def of_person(self, person_id: str) -> tuple[Factor, ...]: ...
    def advance(self, factor_id: int, counter: int, at: datetime) -> bool: ...
    def remove(self, person_id: str, factor_id: int) -> bool: ...
    def remove_all(self, person_id: str) -> int: ...
    def put_codes(self, person_id: str, hashes: tuple[str, ...]) -> None: ...
    def use_code(self, person_id: str, code_hash: str, at: datetime) -> bool: ...
    def codes_left(self, person_id: str) -> int: ...
