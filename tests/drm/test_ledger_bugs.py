"""Small tests, each for one way in which a quota has gone wrong somewhere: of the policy, the ledger, and the services between them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from delivery.lifecycle import State
from delivery.services import desk
from delivery.services.deciding import judge_at_fill, refund, release, settle
from delivery.stores import AgreementVersion, LedgerEntry, Slot
from drm.agreements import load_agreements
from drm.decisions import Outcome
from drm.facts.durations import Duration
from drm.licence import check_retention
from drm.policy import decide
from tests.drm.test_rights import agreement, facts, record
from tests.world import LIMITED, World

MONTH = LIMITED.format(most=1, per="entity", effect="deny")


def bound(world: World, text: str = MONTH) -> None:
    world.load(text)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])


def test_the_first_instant_of_a_month_belongs_to_it_and_not_to_the_last() -> None:
    november = load_agreements(MONTH)
    asked = {**facts(["1"], "2026-10-31T23:59:59+00:00"), "entity": {"id": "E", "tz": "UTC"}}
    next_month = {**record(["1"], "2026-11-01T00:00:00+00:00"), "entity": {"id": "E", "tz": "UTC"}}

    assert decide([november], asked, [next_month]).outcome is Outcome.ALLOW


def test_pages_that_were_had_before_are_no_new_ones() -> None:
    again = record(["1-10"], "2026-11-23T10:00:00+00:00")

    assert decide([agreement()], facts(["5-10"]), [again]).outcome is Outcome.ALLOW


def test_a_month_after_the_thirty_first_of_january_is_the_last_of_february() -> None:
    assert Duration.parse("P1M").date_after(date(2028, 1, 31)) == date(2028, 2, 29)
    assert Duration.parse("P1M").after(datetime(2026, 5, 31, 12, tzinfo=UTC), ZoneInfo("UTC")).day == 30


def test_the_last_day_of_keeping_is_kept() -> None:
    text = MONTH.replace(
        "[[agreement.rule]]", '[agreement.oblige]\nretain = { record = "request", until = "P1D" }\n[[agreement.rule]]'
    )
    asked = {"requested_at": datetime(2026, 11, 1, tzinfo=UTC)}

    last, next_day = (
        check_retention(load_agreements(text), asked, datetime(2026, 11, day, 12, tzinfo=UTC), "purge", "UTC")
        for day in (2, 3)
    )

    assert (last.reason, next_day.reason) == ("RETENTION_NOT_OVER", "OK")


def test_the_own_reservation_is_left_out_at_the_fill(world: World) -> None:
    bound(world)
    request = world.ask()

    with world.store.write() as work:
        decision = judge_at_fill(work, work.requests.lock(request.number), world.clock()).decision

    assert decision.counts == {"limited.per_month": {"used": 0, "this": 1, "limit": 1}}


@pytest.mark.parametrize("per", ["entity", "reader"])  # an index finds the first, and no index the second
def test_a_reservation_made_last_month_holds_its_place_in_this_one(world: World, per: str) -> None:
    month = LIMITED.format(most=1, per=per, effect="deny")
    bound(world, month.replace('unit = "month"', 'unit = "month", anchor = "filled_at"'))
    world.ask()
    world.clock.move(timedelta(days=30))

    assert world.ask().state is State.REFUSED


def test_the_same_entry_twice_is_one(world: World) -> None:
    bound(world)
    request = world.ask()
    entry = LedgerEntry(request.claim, Slot("limited", "limited.per_month", "x"), "settle", world.clock())

    with world.store.write() as work:
        assert [work.ledger.enter(entry), work.ledger.enter(entry)] == [True, False]
    with world.store.read() as work:
        assert [one.kind for one in work.ledger.entries(request.claim)] == ["reserve", "settle"]


def test_what_was_settled_is_refunded_and_never_released(world: World) -> None:
    bound(world)
    request = world.ask()
    with world.store.write() as work:
        locked = work.requests.lock(request.number)
        settle(work, locked, judge_at_fill(work, locked, world.clock()), world.clock())
        release(work, locked, world.clock(), "test", "cancelled")
    with world.store.read() as work:
        assert [one.kind for one in work.ledger.entries(request.claim)] == ["reserve", "settle"]

    with world.store.write() as work:
        refund(work, work.requests.lock(request.number), world.clock(), "test", "bad copy")
        refund(work, work.requests.lock(request.number), world.clock(), "test", "bad copy")

    with world.store.read() as work:
        assert [one.kind for one in work.ledger.entries(request.claim)] == ["reserve", "settle", "refund"]
    assert world.ask().state is State.NEW


def test_what_the_desk_could_not_supply_uses_nothing_up(world: World) -> None:
    bound(world)
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    desk.leave_unfilled(world.ctx, world.librarian, number, "it is nowhere")

    assert world.ask().state is State.NEW


def test_an_agreement_decides_only_between_its_dates(world: World) -> None:
    now = world.clock()
    for version, begins, ends in ((1, None, now), (2, now + timedelta(days=1), None)):
        text = MONTH.replace("version = 1\n", f"version = {version}\n")
        with world.store.write() as work:
            work.agreements.add(AgreementVersion("limited", version, "L", text, "confirmed", begins, ends), now)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])

    assert world.ask().reason == "NO_AGREEMENT"
    world.clock.move(timedelta(days=1))
    assert world.ask().state is State.NEW
