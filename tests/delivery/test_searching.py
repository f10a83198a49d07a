"""A leg of a search in an address: what was written is read again, and nothing else is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from delivery.errors import Invalid
from delivery.searching import STEPS, Leg, Place

AT = datetime(2026, 3, 3, 10, 11, 12, 13, tzinfo=UTC)


@pytest.mark.parametrize("leg", [Leg(), Leg(True, Place(AT, "TR-ABCD-1234"), 2), Leg(False, Place(AT, "99"))])
def test_a_leg_comes_back_from_its_address(leg: Leg) -> None:
    assert Leg.read(str(leg)) == leg


def test_a_place_is_written_in_utc() -> None:
    east = AT.astimezone(timezone(timedelta(hours=8)))

    assert str(Leg(place=Place(east, "7"))) == "older.0.20260303T101112000013.7"


@pytest.mark.parametrize(
    "text",
    [
        "older",
        "older.0.20260303T101112000013.",
        "older.3.20260303T101112000013.TR-1",
        "later.0.20260303T101112000013.TR-1",
        "older.0.20261303T101112000013.TR-1",
        "older.0.20260303T101112.TR-1",
        "older.0.20260303T101112000013.TR-1' OR 1=1",
        "older.0.20260303T101112000013." + "9" * 25,
        "older.０.20260303T101112000013.TR-1",
        "older.0.20260303T101112000013.TR-1\n",
    ],
)
def test_any_other_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Leg.read(text)

    assert refused.value.fields == {"from": "bad-place"}


def test_a_place_in_the_log_is_a_number_that_every_database_can_hold() -> None:
    for key in ("TR-1", "9" * 19):
        with pytest.raises(Invalid):
            Leg.read(f"older.0.20260303T101112000013.{key}", sequence=True)


def test_each_leg_is_longer_until_the_last_length_is_reached() -> None:
    lengths, leg = [], Leg()
    for _ in range(len(STEPS) + 1):
        lengths.append(leg.most)
        leg = leg.longer()

    assert lengths == [*STEPS, STEPS[-1]]
