"""What runs from first use: days of use close the link, a week unopened ends it, and an extension is not undone by opening."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from delivery.copies import Delivery
from delivery.errors import Conflict
from delivery.lifecycle import State
from delivery.services import downloading, linking
from drm.agreements import AgreementError, load_agreements
from drm.business_days import holidays_after, is_known
from tests.behaviours.test_link_promises import address, now, press, supplied
from tests.world import OPEN_AGREEMENT, World

CANADA = 'ttl = "P30D"\nuse_period = { business_days = 5, from = "first_use", calendar = "CA" }'


def with_link(world: World, table: str) -> None:
    rule = "[[agreement.rule]]"
    text = OPEN_AGREEMENT.replace(rule, f"[agreement.link]\n{table}\n{rule}", 1)
    world.load(text.replace("version = 1\n[", "version = 2\n["))


def opened(world: World, delivery: Delivery) -> Delivery:
    token = world.ctx.links.sign(delivery.number)
    downloading.open_window(world.ctx, token, downloading.look(world.ctx, token).nonce, None)
    return now(world, delivery)


def test_five_business_days_after_first_use_the_link_is_closed_holidays_left_out(world: World) -> None:
    with_link(world, CANADA)
    world.clock.now = datetime(2026, 12, 18, 9, 0, tzinfo=UTC)
    delivery = supplied(world)
    assert delivery.expires_at == datetime(2027, 1, 17, 9, 0, tzinfo=UTC)
    world.clock.move(timedelta(days=3))

    # From Monday the 21st: 22, 23, 24, not Christmas, not the weekend, 28, 29.
    assert opened(world, delivery).expires_at == datetime(2026, 12, 30, 0, 0, tzinfo=UTC)


def test_a_second_open_does_not_move_the_end(world: World) -> None:
    with_link(world, CANADA)
    delivery = supplied(world)
    first = opened(world, delivery).expires_at
    world.clock.move(timedelta(days=1))

    assert opened(world, delivery).expires_at == first


def test_a_year_from_first_use_begins_when_it_is_opened_and_unopened_it_ends_in_a_week(world: World) -> None:
    with_link(world, 'ttl = "P1Y"\nttl_from = "first_use"\nunopened = "P7D"')
    delivery = supplied(world)
    assert delivery.expires_at == delivery.issued_at + timedelta(days=7)
    world.clock.move(timedelta(days=2))

    assert opened(world, delivery).expires_at == datetime(2027, 11, 26, 9, 0, tzinfo=UTC)


def test_opening_does_not_undo_what_staff_have_extended(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=10))
    extended = linking.extend(world.ctx, world.librarian, delivery.number, 7)

    assert opened(world, delivery).expires_at == extended.expires_at


@pytest.mark.parametrize("calendar", ["XX", "CA-ZZ", "ca", "Canada", "../x"])
def test_an_unknown_calendar_is_refused_when_the_agreement_is_loaded(calendar: str) -> None:
    rule = "[[agreement.rule]]"
    table = CANADA.replace('"CA"', f'"{calendar}"')

    with pytest.raises(AgreementError, match="calendar"):
        load_agreements(OPEN_AGREEMENT.replace(rule, f"[agreement.link]\n{table}\n{rule}", 1))


def test_a_reader_renews_as_often_as_the_agreement_permits(world: World) -> None:
    with_link(world, 'ttl = "P10D"\nrenewals = 1')
    delivery = supplied(world)
    world.clock.move(timedelta(days=6))

    renewed = linking.renew(world.ctx, world.reader, delivery.number)

    assert renewed.expires_at == world.clock.now + timedelta(days=10)
    with pytest.raises(Conflict):
        linking.renew(world.ctx, world.reader, delivery.number)
    with pytest.raises(Conflict):
        linking.renew(world.ctx, world.librarian, delivery.number)


def test_a_copy_larger_than_the_agreement_sends_by_link_goes_to_the_desk(world: World) -> None:
    with_link(world, 'ttl = "P10D"\nmax_bytes = 1000')
    number = world.ask().number
    world.work()

    assert world.get(number).state is State.AT_DESK
    with world.store.read() as work:
        assert work.requests.tries(number)[-1].code == "too-large"


def test_a_link_for_the_first_device_alone_opens_on_no_other(world: World) -> None:
    with_link(world, 'ttl = "P10D"\nsame_device = true')
    delivery = supplied(world)
    first, other = world.reader_app().test_client(), world.reader_app().test_client()
    assert press(first, address(world, delivery)).startswith("/w/")
    assert press(first, address(world, delivery)).startswith("/w/")

    nonce = downloading.look(world.ctx, address(world, delivery).removeprefix("/d/")).nonce
    refused = other.post(address(world, delivery), data={"nonce": nonce})

    assert refused.status_code == 409
    assert now(world, delivery).opens_used == 2


def test_who_presses_again_because_the_answer_was_lost_is_no_other_device(world: World) -> None:
    with_link(world, 'ttl = "P10D"\nsame_device = true')
    delivery = supplied(world)
    page = {"nonce": downloading.look(world.ctx, address(world, delivery).removeprefix("/d/")).nonce}
    lost, again = (
        world.reader_app().test_client(use_cookies=False).post(address(world, delivery), data=page) for _ in range(2)
    )

    assert (lost.status_code, again.status_code) == (303, 303)
    assert again.headers["Location"] == lost.headers["Location"]
    assert now(world, delivery).opens_used == 1


def test_calendars_of_provinces_know_their_own_days() -> None:
    assert is_known("CA-ON")
    assert date(2026, 2, 16) in holidays_after("CA-ON", date(2026, 2, 2), 20)
    assert date(2026, 2, 16) not in holidays_after("CA", date(2026, 2, 2), 20)
    assert holidays_after("", date(2026, 2, 2), 20) == ()


def test_opened_in_the_last_minute_unopened_the_only_open_is_a_whole_window(world: World) -> None:
    with_link(world, 'ttl = "P30D"\nttl_from = "first_use"\nunopened = "P7D"\nopens = 1')
    delivery = supplied(world)
    world.clock.move(timedelta(days=7, minutes=-1))
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    world.clock.move(timedelta(minutes=90))
    served = client.get(window).status_code
    world.clock.move(timedelta(minutes=31))

    assert (served, client.get(window).status_code) == (200, 303)


def test_a_window_ends_with_a_link_that_ends_soon_after_first_use(world: World) -> None:
    with_link(world, 'ttl = "PT1H"\nttl_from = "first_use"\nopens = 3')
    delivery = supplied(world)
    client = world.reader_app().test_client()
    window = press(client, address(world, delivery))
    world.clock.move(timedelta(minutes=59))
    served = client.get(window).status_code
    world.clock.move(timedelta(minutes=2))

    assert (served, client.get(window).status_code) == (200, 303)


def test_a_link_that_ended_unopened_is_not_opened_by_what_would_run_from_first_use(world: World) -> None:
    with_link(world, 'ttl = "P30D"\nttl_from = "first_use"\nunopened = "P7D"')
    delivery = supplied(world)
    token = world.ctx.links.sign(delivery.number)
    nonce = downloading.look(world.ctx, token).nonce
    world.clock.now = delivery.expires_at or world.clock.now

    with pytest.raises(Conflict):
        downloading.open_window(world.ctx, token, nonce, None)
    assert now(world, delivery).expires_at == delivery.expires_at
