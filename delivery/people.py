"""Libraries and people as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Role(StrEnum):
    """What a person may do. A person may hold several roles."""

    READER = "reader"
    LIBRARIAN = "librarian"
    RIGHTS_OFFICER = "rights_officer"
    OPERATOR = "operator"


STAFF_ROLES = frozenset({Role.LIBRARIAN, Role.RIGHTS_OFFICER, Role.OPERATOR})


class Standing(StrEnum):
    """Whether an account can be used."""

    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True)
class Library:
    """A member library. ``group`` joins branches that agreements count as one; "" when it stands alone.

    ``agreements`` are the ids that hold for whatever its readers ask for, beside those of the source.
    ``for_profit`` says that it is conducted for profit, which some laws ask.
    """

    id: str
    name: str
    name_zh: str
    country: str
    tz: str
    language: str
    email: str
    isil: str = ""
    url: str = ""
    phone: str = ""
    group: str = ""
    agreements: tuple[str, ...] = ()
    for_profit: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """Civil time of the library."""
        return ZoneInfo(self.tz)

    def called(self, language: str) -> str:
        """The library's name for a reader of that language."""
        return self.name_zh if language.startswith("zh") and self.name_zh else self.name


@dataclass(frozen=True)
class Person:
    """Somebody with an account. ``reader_key`` is the pseudonym that ledger and log carry instead of a name.

    ``card`` is the keyed hash of the library card: accounts of one card are counted as one reader. "" where none is known.
    """

    id: str
    library_id: str
    name: str
    email: str
    language: str
    roles: frozenset[Role]
    standing: Standing
    reader_key: str
    category: str = ""
    group: str = ""
    created_at: datetime | None = None
    card: str = ""

    @property
    def is_staff(self) -> bool:
        """Whether the staff app is open to this person."""
        return bool(self.roles & STAFF_ROLES)
