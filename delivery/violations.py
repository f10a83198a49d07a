"""What a check of the whole installation found: which rule is broken, by what, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Repair(StrEnum):
    """What a check may put right by itself: nothing of it can lose, supply or count anything."""

    NONE = ""
    REQUEUE = "requeue"
    ANNOUNCE = "announce"
    FREE_LEASE = "free-lease"
    RING = "ring"
    REMOVE_BLOB = "remove-blob"
    SWEEP = "sweep"
    CLOSE_LINK = "close-link"
    REMOVE_FILE = "remove-file"


@dataclass(frozen=True)
class Violation:
    """One broken invariant. ``code`` stands in the catalogue with its words and cure; ``ids`` name what breaks it, by kind."""

    code: str
    ids: Mapping[str, str]
    detail: str = ""
    repair: Repair = Repair.NONE

    @property
    def named(self) -> str:
        """The ids in one line."""
        return " ".join(f"{kind}={value}" for kind, value in self.ids.items())


@dataclass(frozen=True)
class Patience:
    """How long things may be as they are before they are wrong: work under way is no violation."""

    now: datetime
    grace: timedelta = timedelta(hours=24)
    overdue: timedelta = timedelta(hours=24)
    waiting: timedelta = timedelta(minutes=10)
    lease: timedelta = timedelta(minutes=5)
    closing: timedelta = timedelta(hours=1)
    window: timedelta = timedelta(hours=2)


@dataclass(frozen=True)
class StoredFile:
    """A file as its store lists it: name, length in bytes, and when it was written last, as a time stamp."""

    name: str
    bytes: int
    changed: float


@dataclass(frozen=True)
class ExpectedFile:
    """A file that rows name. ``needed`` tells that somebody waits for it or may open it; ``bytes`` is None where unknown."""

    name: str
    sha256: str
    bytes: int | None
    needed: bool
    ids: Mapping[str, str] = field(default_factory=dict)
