"""What is counted against misuse: how fast somebody goes, how widely a link is known, and the alarms that follow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
WORDS = re.compile(r"(\d{1,9}) per (?:(\d{1,4}) )?(minute|hour|day)s?")


@dataclass(frozen=True)
class Rate:
    """At most so many acts in so many seconds."""

    most: int
    seconds: int


Pace = tuple[Rate, ...]
"""Rates that hold together; none is no limit."""


def read_pace(text: str) -> Pace:
    """The rates of a text such as "30 per minute, 200 per hour" or "10 per 5 minutes"; ValueError for any other."""
    rates = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = WORDS.fullmatch(part)
        if found is None or not int(found[1]) or found[2] == "0":
            raise ValueError(f"{part!r} is no rate; write one such as 30 per minute, or several with commas")
        rates.append(Rate(int(found[1]), int(found[2] or 1) * UNITS[found[3]]))
    return tuple(rates)


@dataclass(frozen=True, order=True)
class Tally:
    """What one scope did in one stretch of time: ``start`` is the number of the stretch since 1970."""

    scope: str
    seconds: int
    start: int

    @property
    def before(self) -> Tally:
        """The stretch before."""
        return Tally(self.scope, self.seconds, self.start - 1)

    @property
    def ends(self) -> int:
        """When nothing asks for it any more, in seconds since 1970."""
        return (self.start + 2) * self.seconds


def tally_at(scope: str, rate: Rate, now: datetime) -> Tally:
    """The stretch an instant lies in."""
    return Tally(scope, rate.seconds, int(now.timestamp()) // rate.seconds)


def estimated(here: int, before: int, rate: Rate, now: datetime) -> float:
    """Acts in the last ``rate.seconds``: those of this stretch, and of the one before as much as still lies in them.

    Exact where the acts of the stretch before came evenly; never more than 100 % off at its worst, and no burst at a border.
    """
    gone = now.timestamp() % rate.seconds / rate.seconds
    return here + before * (1 - gone)


@dataclass(frozen=True)
class Paces:
    """How fast one reader, one library and one API token may ask for and open documents; each act is counted by itself."""

    reader: Pace = ()
    library: Pace = ()
    token: Pace = ()


class AlarmKind(StrEnum):
    """What an alarm is about: a link that many networks ask for, somebody who takes too much too fast, or sign-ins that fail."""

    LINK = "link"
    READER = "reader"
    LIBRARY = "library"
    PROGRAM = "token"
    SIGN_IN = "sign_in"


@dataclass(frozen=True)
class Alarm:
    """One alarm; at most one for each subject and day. ``subject`` is a delivery, a reader key, a library, a token's id, or a
    keyed hash of where sign-ins fail.

    ``count`` is how many networks a link was asked from, or how many acts were refused.
    """

    kind: AlarmKind
    subject: str
    library_id: str
    count: int
    first_at: datetime
    last_at: datetime
    id: int = 0


class WatchStore(Protocol):
    """Tallies, the networks of links, alarms."""

    def count(self, tallies: Sequence[Tally]) -> Mapping[Tally, int]: ...
    def uncount(self, tallies: Sequence[Tally]) -> None: ...
    def counted(self, tallies: Sequence[Tally]) -> Mapping[Tally, int]: ...
    def forgive(self, scope: str) -> None: ...
    def link_known_from(self, delivery: str, names: Sequence[str], since: datetime) -> bool: ...
    def link_asked_from(self, delivery: str, network: str, now: datetime, since: datetime, most: int) -> int: ...
    def raise_alarm(self, alarm: Alarm, add: bool) -> bool: ...
    def alarms(self, library_id: str, limit: int) -> tuple[Alarm, ...]: ...
    def alarm(self, alarm_id: int) -> Alarm: ...
    def forget_before(self, now: datetime, networks: datetime, alarms: datetime) -> None: ...
    def forget_reader(self, reader_key: str) -> None: ...
