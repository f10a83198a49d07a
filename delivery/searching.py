"""Searches that go through a history leg by leg: each looks at so many rows, shows what it found, and the next goes on from there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from delivery.errors import Invalid

STEPS = (20_000, 80_000, 320_000)
"""How many rows a leg looks at, at most: the first, the next, and every one from then on."""
LEG = re.compile(r"(older|newer)\.([0-9])\.([0-9]{8}T[0-9]{12})\.([0-9A-Z-]{1,24})")
SEQUENCE = re.compile(r"[0-9]{1,18}")
TIME = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True)
class Place:
    """A place in a list: right behind one row, whether it is still there or not. ``at`` is its time, ``key`` its number."""

    at: datetime
    key: str


@dataclass(frozen=True)
class Leg:
    """One leg of a search: which way, from where (None = the newest), and how far at most.

    It names no filter and gives no right: whoever walks it sees what he may see, from that place on.
    """

    older: bool = True
    place: Place | None = None
    step: int = 0
    steps: tuple[int, ...] = STEPS

    @property
    def most(self) -> int:
        """How many rows it looks at, at most."""
        return self.steps[self.step]

    def longer(self) -> Leg:
        """A leg of the next length, which the last one keeps."""
        return replace(self, step=min(self.step + 1, len(self.steps) - 1))

    def __str__(self) -> str:
        """The leg as an address carries it; "" for the first."""
        if self.place is None:
            return ""
        at = self.place.at.astimezone(UTC)
        return f"{'older' if self.older else 'newer'}.{self.step}.{at:%Y%m%dT%H%M%S%f}.{self.place.key}"

    @classmethod
    def read(cls, text: str, *, sequence: bool = False) -> Leg:
        """The leg that an address names, the first for "". Invalid for anything else; ``sequence`` asks for a place in the log."""
        if not text:
            return cls()
        found = LEG.fullmatch(text)
        if found is None or int(found[2]) >= len(STEPS) or (sequence and not SEQUENCE.fullmatch(found[4])):
            raise Invalid({"from": "bad-place"})
        try:
            at = datetime.strptime(found[3], TIME).replace(tzinfo=UTC)
        except ValueError:
            raise Invalid({"from": "bad-place"}) from None
        return cls(found[1] == "older", Place(at, found[4]), int(found[2]))


@dataclass(frozen=True)
class Reach:
    """How far a leg went. ``newer`` and ``older`` go on from its two ends; None where nothing is beyond.

    ``stopped`` is the time of the last row looked at where the leg ended without a full page, though there are more rows.
    """

    leg: Leg
    newer: Leg | None = None
    older: Leg | None = None
    stopped: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether everything was looked at, so that what is shown is all there is."""
        return self.newer is None and self.older is None
