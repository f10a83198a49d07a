"""Durations of agreements: PnY, PnM, PnD in local wall-clock time, PTnH in exact hours. One unit each."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MOST_YEARS = 1_000
PATTERN = re.compile(r"P(?:(\d{1,5})([YMD])|T(\d{1,6})H)")


@dataclass(frozen=True)
class Duration:
    """A length of time; ``unit`` is Y, M, D or H."""

    amount: int
    unit: str

    @classmethod
    def parse(cls, text: object, hours: bool = True) -> Duration:
        """Read an ISO 8601 duration of one unit; ValueError for anything else."""
        found = PATTERN.fullmatch(text) if isinstance(text, str) else None
        if found is None or (found[3] and not hours):
            raise ValueError(f"{text!r} is not a duration such as P30D, P6M, P5Y" + (" or PT48H" if hours else ""))
        if (found[2] == "Y" and int(found[1]) > MOST_YEARS) or (found[2] == "M" and int(found[1]) > 12 * MOST_YEARS):
            raise ValueError(f"{text!r} is longer than {MOST_YEARS} years; leave the limit out instead")
        return cls(int(found[3]), "H") if found[3] else cls(int(found[1]), found[2])

    @classmethod
    def lasting(cls, text: object) -> Duration:
        """Read a duration that must be longer than nothing, such as a link's life; ValueError otherwise."""
        found = cls.parse(text)
        if not found.amount:
            raise ValueError(f"{text!r} is no time at all; write at least P1D")
        return found

    def date_before(self, day: date) -> date:
        """The date this long before ``day``; years and months clamp the day. The earliest date where none is left."""
        return self._shift(day, -1)

    def date_after(self, day: date) -> date:
        """The date this long after ``day``, clamped."""
        return self._shift(day, 1)

    def before(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long before, by the wall clock of ``zone`` (hours: exactly)."""
        return self._move(instant, zone, -1)

    def after(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The instant this long after, by the wall clock of ``zone`` (hours: exactly)."""
        return self._move(instant, zone, 1)

    def _move(self, instant: datetime, zone: ZoneInfo, sign: int) -> datetime:
        if self.unit == "H":
            try:
                return instant.astimezone(UTC) + sign * timedelta(hours=self.amount)
            except OverflowError:
                return datetime.min.replace(tzinfo=UTC) if sign < 0 else datetime.max.replace(tzinfo=UTC)
        local = instant.astimezone(zone)
        moved = self._shift(local.date(), sign)
        # A wall time that is missing or doubled on that day is read with fold 0.
        return datetime.combine(moved, local.time().replace(fold=0), zone).astimezone(UTC)

    def _shift(self, day: date, sign: int) -> date:
        try:
            if self.unit == "D":
                return day + timedelta(days=sign * self.amount)
            months = sign * self.amount * (12 if self.unit == "Y" else 1)
            year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
            return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        except (OverflowError, ValueError):
            return date(2, 1, 1) if sign < 0 else date(9998, 12, 31)
