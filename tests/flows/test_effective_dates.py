"""An agreement holds from the midnight that begins its first day to the one that ends its last, where the asking library is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from delivery.people import Role
from delivery.services import governing
from delivery.services.allowances import allowances
from drm.agreements import AgreementError
from tests.delivery.web_test_support import signed_in
from tests.world import LIMITED, World

ZONES = ("Europe/Dublin", "Asia/Shanghai", "Pacific/Honolulu")
TEXT = LIMITED.format(most=5, per="reader", effect="deny").replace(
    "version = 1\n[", 'version = 1\neffective_from = "2026-12-01"\neffective_to = "2026-12-31"\n[', 1
)
INSTANT = timedelta(microseconds=1)


def governed(world: World, zone: str, text: str = TEXT) -> None:
    """Bring a text into force as officers do, for a library in this zone."""
    governing.save_draft(world.ctx, world.officer, text)
    governing.propose(world.ctx, world.officer, "limited", 1, "")
    governing.confirm(world.ctx, world.add_person("second", Role.RIGHTS_OFFICER), "limited", 1, "")
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql("UPDATE libraries SET tz = ?", (zone,))


def midnight(zone: str, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_it_decides_from_the_first_instant_of_its_first_day_to_the_last_of_its_last(world: World, zone: str) -> None:
    governed(world, zone)
    begins, ends = midnight(zone, date(2026, 12, 1)), midnight(zone, date(2027, 1, 1))

    answers = []
    for instant in (begins - INSTANT, begins, ends - INSTANT, ends):
        world.clock.now = instant
        answers.append(world.ask().reason)

    assert answers == ["NO_AGREEMENT", "OK", "OK", "NO_AGREEMENT"]


@pytest.mark.parametrize("zone", ZONES)
def test_what_a_reader_has_left_and_the_officers_list_know_the_same_last_day(world: World, zone: str) -> None:
    governed(world, zone)
    ends = midnight(zone, date(2027, 1, 1))

    seen = []
    for instant in (ends - INSTANT, ends):
        world.clock.now = instant
        client = signed_in(world.staff_app(), world.officer)
        listed = "Limited agreement" in client.get("/rights/agreements").get_data(as_text=True)
        seen.append((listed, len(allowances(world.ctx, world.reader))))

    assert seen == [(True, 1), (False, 0)]


def test_an_agreement_of_one_day_holds_on_it(world: World) -> None:
    governed(world, "Europe/Dublin", TEXT.replace("2026-12-01", "2026-12-31"))
    world.clock.now = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)

    assert world.ask().reason == "OK"


def test_the_page_says_that_the_last_day_counts(world: World) -> None:
    governed(world, "Europe/Dublin")

    page = signed_in(world.staff_app(), world.officer).get("/rights/agreements/limited/1").get_data(as_text=True)

    assert "from 2026-12-01 to the end of 2026-12-31" in page
    assert "in the civil time of the library that asks" in page


def test_a_time_of_day_in_an_effective_date_is_refused_with_the_cure(world: World) -> None:
    with pytest.raises(AgreementError, match=r"effective_to.*leave the time of day out"):
        governing.save_draft(world.ctx, world.officer, TEXT.replace('to = "2026-12-31"', "to = 2026-12-31T12:00:00Z"))
