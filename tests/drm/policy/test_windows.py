"""Calendar windows are civil time: an instant lies in the window of another exactly when both have the same label."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drm.policy.counting import period

ZONES = ["UTC", "Europe/Dublin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "America/Sao_Paulo",
         "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza"]  # fmt: skip
INSTANTS = st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))


def label(unit: str, instant: datetime, zone: ZoneInfo) -> tuple[int, ...]:
    day = instant.astimezone(zone).date()
    return {
        "year": (day.year,),
        "month": (day.year, day.month),
        "week": tuple(day.isocalendar()[:2]),
        "day": (day.year, day.month, day.day),
    }[unit]


@given(
    st.sampled_from(["year", "month", "week", "day"]),
    st.sampled_from(ZONES),
    INSTANTS,
    st.integers(-60 * 24 * 40, 60 * 24 * 40),
)
@example("day", "America/Sao_Paulo", datetime(2018, 11, 4, 3, 0, tzinfo=UTC), -1)  # the clock jumped over midnight
@example("day", "America/Sao_Paulo", datetime(2018, 2, 18, 1, 30, tzinfo=UTC), 90)  # and fell back across it
@example("day", "America/Havana", datetime(2023, 11, 5, 4, 30, tzinfo=UTC), 60)  # midnight came twice
@example("day", "Pacific/Apia", datetime(2011, 12, 30, 9, 59, tzinfo=UTC), 2)  # a day was left out
@example("week", "Europe/Dublin", datetime(2026, 3, 29, 0, 59, tzinfo=UTC), 2)
def test_an_instant_lies_in_a_period_exactly_when_its_label_is_the_same(
    unit: str, name: str, now: datetime, minutes: int
) -> None:
    zone = ZoneInfo(name)
    other = now + timedelta(minutes=minutes)

    start, end = period(unit, now, zone)

    assert (start <= other < end) == (label(unit, other, zone) == label(unit, now, zone))
    assert start <= now < end


@pytest.mark.parametrize(
    ("unit", "now", "start", "end"),
    [
        ("year", "2026-01-01T04:59:59Z", "2025-01-01T05:00:00Z", "2026-01-01T05:00:00Z"),
        ("year", "2026-01-01T05:00:00Z", "2026-01-01T05:00:00Z", "2027-01-01T05:00:00Z"),
        ("week", "2026-11-24T12:00:00Z", "2026-11-23T05:00:00Z", "2026-11-30T05:00:00Z"),
        ("month", "2026-03-15T12:00:00Z", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"),
        ("day", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
    ],
)
def test_periods_in_new_york_by_hand(unit: str, now: str, start: str, end: str) -> None:
    found = period(unit, datetime.fromisoformat(now), ZoneInfo("America/New_York"))

    assert found == (datetime.fromisoformat(start), datetime.fromisoformat(end))
