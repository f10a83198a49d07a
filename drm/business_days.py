"""Which days are no business days: the public holidays of a country or province, from the library ``holidays``.

A calendar is named as ISO 3166 does: ``CA``, or ``CA-ON`` for a province. Its version is the library's, pinned like the zone
database, so that an answer can be given again years later.
"""

from __future__ import annotations

import importlib.metadata
from datetime import date, timedelta
from functools import lru_cache


@lru_cache(maxsize=1)
def calendar_version() -> str:
    """The version of all calendars."""
    return importlib.metadata.version("holidays")


def is_known(calendar: str) -> bool:
    """Whether there is a calendar of this name."""
    import holidays

    country, _, province = calendar.partition("-")
    supported = holidays.list_supported_countries()
    return country in supported and (not province or province in supported[country])


@lru_cache(maxsize=256)
def _year(calendar: str, year: int) -> frozenset[date]:
    import holidays

    country, _, province = calendar.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=province or None, years=year))


def holidays_after(calendar: str, first: date, days: int) -> tuple[date, ...]:
    """The holidays of a calendar from ``first`` on, far enough for ``days`` business days. None for no calendar ("")."""
    if not calendar:
        return ()
    # Never fewer than one business day a week, whatever the calendar.
    last = first + timedelta(days=7 * days + 14)
    found = (day for year in range(first.year, last.year + 1) for day in _year(calendar, year))
    return tuple(sorted(day for day in found if first <= day <= last))
