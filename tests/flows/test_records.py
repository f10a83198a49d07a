"""When whole records go: by the longest term of all that they rest on, announced first, and never what counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from delivery.copies import CopyState
from delivery.lifecycle import State
from delivery.privacy import HoldKind
from delivery.services import consenting, desk, expiring, holding, linking, retaining
from delivery.services.forgetting import forget
from delivery.services.replaying import replay_all
from delivery.services.reporting import KINDS, report
from delivery.services.working import sweep
from tests.delivery.web_test_support import signed_in
from tests.flows.test_consents import DECLARE, asking
from tests.flows.test_privacy import ended, whose
from tests.world import OPEN_AGREEMENT, World

KEPT = OPEN_AGREEMENT.replace(
    "[[agreement.rule]]",
    """[agreement.oblige]
retain = { record = "request_and_fulfilment", until = "end_of_year+9", from = "requested_at", reader_identity = "not_required" }
[[agreement.rule]]""",
).replace("version = 1\n[", "version = 2\n[")
LAST_DAY = datetime(2035, 12, 31, 12, tzinfo=UTC)


def forgotten(world: World) -> str:
    """A request whose reader is forgotten and whose file is gone."""
    number = ended(world)
    expiring.remove_files(world.ctx)
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)
    assert whose(world, number) is None
    return number


def purge(world: World) -> int:
    retaining.announce(world.ctx)
    done = retaining.carry_out(world.ctx, world.officer)
    return done.removed if done else 0


def test_a_record_goes_on_the_day_after_its_last_and_still_counts(world: World) -> None:
    world.load(KEPT)
    number = forgotten(world)
    world.clock.now = LAST_DAY
    assert purge(world) == 0
    assert world.get(number).citation.title

    world.clock.move(timedelta(days=1))
    assert purge(world) == 1

    gone = world.get(number)
    assert (gone.citation.title, gone.decision, gone.state) == ("", {}, State.EXPIRED)
    with world.store.read() as work:
        record = work.ledger.record(gone.claim)
        assert (work.requests.tries(number), work.deliveries.of_request(number)[0].filename) == ((), "")
    assert record is not None
    assert record.status == "filled"
    assert "record:purged" in world.kinds(number)
    assert world.ctx.check_log().whole


def test_a_record_that_no_agreement_keeps_goes_after_the_time_of_the_setting(world: World) -> None:
    number = forgotten(world)
    closed = world.get(number).changed_at
    world.clock.now = closed + timedelta(days=1825)
    assert purge(world) == 0

    world.clock.move(timedelta(seconds=1))

    assert purge(world) == 1


def test_a_hold_keeps_a_record_whose_time_is_over(world: World) -> None:
    number = forgotten(world)
    world.clock.move(timedelta(days=4000))
    kept = holding.place(world.ctx, world.officer, HoldKind.REQUEST, number, "dispute")
    assert purge(world) == 0

    holding.lift(world.ctx, world.officer, kept.id)

    assert purge(world) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_reports_replays_and_pages_bear_a_purged_record(world: World, kind: str) -> None:
    number = forgotten(world)
    world.clock.move(timedelta(days=4000))
    purge(world)

    made = report(
        world.ctx, world.officer, kind, "", datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    )
    page = signed_in(world.staff_app(), world.librarian).get(f"/requests/{number}")

    assert len(made.rows) == (1 if kind == "uses" else 0)
    assert list(replay_all(world.ctx, None, None)) == []
    assert "The time of this record was over" in page.get_data(as_text=True)


def test_the_officer_sees_whole_records_before_they_go(world: World) -> None:
    number = forgotten(world)
    world.clock.move(timedelta(days=4000))
    retaining.announce(world.ctx)

    page = signed_in(world.staff_app(), world.officer).get("/rights/retention").get_data(as_text=True)

    assert number in page
    assert "the whole record of the request" in page
    assert world.get(number).decision


def test_the_reader_of_a_withdrawn_copy_is_forgotten_too(world: World) -> None:
    number = world.ask().number
    world.work()
    linking.revoke(world.ctx, world.librarian, world.get(number).delivery, "wrong article")
    world.clock.move(timedelta(days=91))

    assert purge(world) == 1
    assert whose(world, number) is None


def test_the_term_of_a_copy_that_was_replaced_counts_too(world: World) -> None:
    world.load(KEPT)
    number = world.ask().number
    world.work()
    world.load(OPEN_AGREEMENT.replace("version = 1\n[", "version = 3\n["))
    desk.replace_copy(world.ctx, world.librarian, number, "pages are missing")
    desk.leave_unfilled(world.ctx, world.librarian, number, "the volume is lost")
    world.clock.move(timedelta(days=2500))
    expiring.remove_files(world.ctx)
    assert purge(world) == 1

    assert purge(world) == 0
    world.clock.now = LAST_DAY + timedelta(days=1)

    assert purge(world) == 1


def test_retention_is_a_job_of_the_day_that_one_worker_does(world: World) -> None:
    number = ended(world)
    retaining.schedule(world.ctx)
    retaining.schedule(world.ctx)
    assert len(sweep(world.ctx)) == 1
    world.work()
    assert whose(world, number) == world.reader.id

    world.clock.move(timedelta(days=8))
    retaining.schedule(world.ctx)
    world.work()

    assert whose(world, number) is None


def test_forgetting_a_reader_ends_his_links_and_takes_his_name_out_of_what_he_signed(world: World) -> None:
    number = asking(world, DECLARE).number
    consenting.declare(world.ctx, world.reader, number, ["named", "not_previously_supplied"])
    world.work()

    forget(world.ctx, world.reader, "operator")

    with world.store.read() as work:
        [declaration] = work.consents.declarations(number)
        [delivery] = work.deliveries.of_request(number)
    assert (declaration.signed, declaration.reader_key) == (b"", "")
    assert declaration.statements
    assert delivery.state is CopyState.REVOKED
    world.clock.move(timedelta(hours=3))
    expiring.remove_files(world.ctx)
    with world.store.read() as work:
        assert work.deliveries.tail(delivery.number) == b""
