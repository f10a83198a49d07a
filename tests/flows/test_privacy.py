"""Who may be known for how long: retention that is announced, holds that win, acts of two persons, forgetting."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from delivery.errors import Conflict, Invalid, NotAllowed, NotFound
from delivery.lifecycle import State
from delivery.people import Person, Role
from delivery.privacy import ActKind, HoldKind
from delivery.services import desk, expiring, holding, requesting, retaining, two_persons
from delivery.services.forgetting import forget
from delivery.services.replaying import replay
from delivery.services.requesting import Asked
from delivery.stores import LogFilter
from tests.delivery.web_test_support import signed_in, token_of
from tests.packed import all_rows
from tests.world import LIMITED, OPEN_AGREEMENT, World

NEEDS_NAME = OPEN_AGREEMENT.replace(
    "[[agreement.rule]]",
    """[agreement.oblige]
retain = { record = "request_and_fulfilment", until = "P2Y", from = "filled_at", reader_identity = "required" }
[[agreement.rule]]""",
).replace("version = 1\n[", "version = 2\n[")


def ended(world: World) -> str:
    """A request that was supplied and whose link has ended, long enough ago."""
    number = world.ask(doi="10.5555/lantern.2021.0001", title="").number
    world.work()
    world.clock.move(timedelta(days=31))
    expiring.expire_links(world.ctx)
    world.clock.move(timedelta(days=91))
    return number


def second(world: World) -> Person:
    return world.add_person("second", Role.RIGHTS_OFFICER)


def whose(world: World, number: str) -> str | None:
    return world.get(number).reader_id


def test_a_closed_request_forgets_its_reader_only_after_the_announced_time(world: World) -> None:
    number = ended(world)
    desk.say(world.ctx, world.librarian, number, "Your article is ready.")
    retaining.announce(world.ctx)

    assert retaining.carry_out(world.ctx) is None
    assert whose(world, number) == world.reader.id
    world.clock.move(timedelta(days=8))
    done = retaining.carry_out(world.ctx)

    assert done is not None
    assert done.removed == 1
    assert (whose(world, number), world.get(number).typed) == (None, {})
    with world.store.read() as work:
        assert work.requests.messages(number) == ()
        assert work.requests.of_reader(world.reader.id, 9).total == 0


def test_what_was_supplied_still_counts_and_replays_when_its_reader_is_forgotten(world: World) -> None:
    world.load(
        LIMITED.format(most=1, per="reader", effect="deny").replace(
            'type = "calendar", unit = "month"', 'type = "lifetime"'
        )
    )
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = ended(world)
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)

    assert whose(world, number) is None
    assert world.ask().state is State.REFUSED
    again = replay(world.ctx, number)
    assert again is not None
    assert again.differs == ()


def test_an_agreement_that_needs_the_readers_name_keeps_it_until_its_day(world: World) -> None:
    world.load(NEEDS_NAME)
    number = ended(world)

    assert retaining.announce(world.ctx) is None
    with pytest.raises(Conflict, match="2028-11-24"):
        forget(world.ctx, world.reader, "operator")
    world.clock.move(timedelta(days=2 * 366))
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)

    assert whose(world, number) is None


@pytest.mark.parametrize("kind", list(HoldKind))
def test_a_legal_hold_wins_over_retention_and_erasure_until_it_is_lifted(world: World, kind: HoldKind) -> None:
    number = ended(world)
    retaining.announce(world.ctx)
    target = {HoldKind.REQUEST: number, HoldKind.READER: world.reader.reader_key, HoldKind.PERIOD: ""}[kind]
    since = world.get(number).created_at - timedelta(days=1)
    hold = holding.place(world.ctx, world.officer, kind, target, "a dispute", since, since + timedelta(days=2))

    retaining.carry_out(world.ctx, world.officer)
    with pytest.raises(Conflict) as kept:
        forget(world.ctx, world.reader, "operator")
    assert (kept.value.code, whose(world, number)) == ("legal-hold", world.reader.id)

    holding.lift(world.ctx, world.officer, hold.id)
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)
    assert whose(world, number) is None


def test_a_forgotten_reader_is_found_nowhere_starts_afresh_and_the_log_stays_whole(world: World) -> None:
    number = ended(world)

    forget(world.ctx, world.reader, "operator")

    rows = [str(list(row)) for table in world.tables() for row in table]
    assert not [row for row in rows if "Maeve" in row or "maeve@" in row]
    assert world.ctx.check_log().whole
    with world.store.read() as work:
        assert work.ledger.record(f"{number}/1") is not None
    with pytest.raises(NotFound):
        two_persons.ask(world.ctx, world.officer, ActKind.UNMASK, world.reader.reader_key, "who was it")


def test_nobody_is_forgotten_while_a_request_is_open(world: World) -> None:
    world.ask()

    with pytest.raises(Conflict, match="open"):
        forget(world.ctx, world.reader, "operator")


def test_a_name_is_shown_only_after_a_second_officer_agreed_and_each_look_is_logged(world: World) -> None:
    key, other = world.reader.reader_key, second(world)
    act = two_persons.ask(world.ctx, world.officer, ActKind.UNMASK, key, "a publisher's complaint")

    with pytest.raises(NotAllowed):
        two_persons.shown(world.ctx, world.officer, key)
    with pytest.raises(Conflict, match="Another rights officer"):
        two_persons.answer(world.ctx, world.officer, act.id, True)
    two_persons.answer(world.ctx, other, act.id, True)

    assert two_persons.shown(world.ctx, world.officer, key).name == "Maeve Byrne"
    with pytest.raises(NotAllowed):
        two_persons.shown(world.ctx, other, key)
    world.clock.move(timedelta(hours=25))
    with pytest.raises(NotAllowed):
        two_persons.shown(world.ctx, world.officer, key)
    with world.store.read() as work:
        assert work.log.find(LogFilter(kind="reader:shown")).total == 1


def test_a_consortium_with_one_officer_may_switch_the_second_off_and_the_log_says_so(world: World) -> None:
    ctx = replace(world.ctx, settings=replace(world.ctx.settings, two_person=False))

    two_persons.ask(ctx, world.officer, ActKind.UNMASK, world.reader.reader_key, "a complaint")

    assert two_persons.shown(ctx, world.officer, world.reader.reader_key).name == "Maeve Byrne"
    with world.store.read() as work:
        assert work.log.find(LogFilter(kind="act:granted")).entries[0].code.endswith(":one-person")


def limited(world: World) -> str:
    """A request that a limit of one copy refuses."""
    world.load(LIMITED.format(most=1, per="entity", effect="deny"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    world.ask()
    world.work()
    return world.ask().number


def test_two_officers_supply_beyond_a_limit_and_the_copy_counts(world: World) -> None:
    refused = limited(world)
    act = two_persons.ask(world.ctx, world.officer, ActKind.OVERRIDE, refused, "the court asks for it")
    act = two_persons.answer(world.ctx, second(world), act.id, True)
    world.work()

    made = world.get(act.subject)
    assert (world.get(refused).state, made.state, made.repeat_of) == (State.REFUSED, State.SUPPLIED, refused)
    with world.store.read() as work:
        record = work.ledger.record(made.claim)
    assert record is not None
    assert record.status == "filled"


def test_a_refused_override_changes_nothing(world: World) -> None:
    refused = limited(world)
    act = two_persons.ask(world.ctx, world.officer, ActKind.OVERRIDE, refused, "please")

    two_persons.answer(world.ctx, second(world), act.id, False)

    with world.store.read() as work:
        assert work.requests.of_reader(world.reader.id, 9).total == 2


def test_what_a_gate_refuses_no_two_officers_can_override(world: World) -> None:
    gate = OPEN_AGREEMENT.replace('"request.copies" = { le = 1 }', '"request.purpose" = "private_study"')
    world.load(gate.replace("version = 1\n[", "version = 2\n["))
    refused = requesting.submit(
        world.ctx, world.reader, Asked({"doi": "10.5555/lantern.2021.0001"}, purpose="commercial")
    ).request

    with pytest.raises(Conflict, match="limit alone"):
        two_persons.ask(world.ctx, world.officer, ActKind.OVERRIDE, refused.number, "please")


def test_an_approved_copy_that_is_denied_by_a_gate_meanwhile_is_not_published(world: World) -> None:
    from delivery.services import officers

    world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    number = world.ask().number
    officers.approve(world.ctx, world.officer, number, "")
    with world.store.write() as work:
        request = work.requests.lock(number)
        decision = {**request.decision, "agreements": [["open", 1]]}
        facts = {**decision["facts"], "request": {**decision["facts"]["request"], "copies": 2}}  # type: ignore[dict-item,index]
        work.requests.save(replace(request, decision={**decision, "facts": facts}))

    world.work()

    assert world.get(number).state is State.REFUSED
    assert world.get(number).delivery == ""


def test_a_reason_is_needed_for_everything(world: World) -> None:
    with pytest.raises(Invalid):
        holding.place(world.ctx, world.officer, HoldKind.READER, world.reader.reader_key, "  ")
    with pytest.raises(Invalid):
        two_persons.ask(world.ctx, world.officer, ActKind.UNMASK, world.reader.reader_key, "")


def test_the_pages_show_what_is_due_and_take_holds_and_acts(world: World) -> None:
    number = ended(world)
    retaining.announce(world.ctx)
    client = signed_in(world.staff_app(), world.officer)
    other = signed_in(world.staff_app(), second(world))
    page = client.get("/rights/retention").get_data(as_text=True)
    token = token_of(page)
    assert number in page

    wrong = client.post(
        "/rights/holds", data={"csrf_token": token, "kind": "request", "target": "TR-NONE", "reason": "x"}
    )
    placed = client.post(
        "/rights/holds", data={"csrf_token": token, "kind": "request", "target": number, "reason": "dispute"}
    )
    client.post(f"/rights/acts/unmask/{world.reader.reader_key}", data={"csrf_token": token, "reason": "complaint"})
    waiting = other.get("/rights/approvals").get_data(as_text=True)
    other.post("/rights/acts/1/grant", data={"csrf_token": token_of(waiting)})

    assert (wrong.status_code, placed.status_code) == (422, 303)
    assert "complaint" in waiting
    assert number not in client.get("/rights/retention").get_data(as_text=True).split("Legal holds")[0]
    assert "Maeve Byrne" in client.get(f"/rights/readers/{world.reader.reader_key}").get_data(as_text=True)


def test_a_fee_that_was_settled_stays_settled_when_another_source_is_looked_for(world: World) -> None:
    from delivery.services.fulfilling import lasting

    request = replace(
        world.ask(), found={"flags": {"fee_paid": True}, "declarations": ["a"], "blob": "x", "round": "y"}
    )

    assert lasting(request, "round") == {"flags": {"fee_paid": True}, "declarations": ["a"], "round": "y"}


def test_what_is_unlinked_carries_no_pseudonym_but_in_the_log(world: World) -> None:
    number = ended(world)
    key = world.reader.reader_key
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)

    with world.services.engine.connect() as connection:
        found = [name for name, rows in all_rows(connection).items() if key in repr(rows)]
    assert sorted(found) == ["audit_events", "people"]
    page = signed_in(world.staff_app(), world.officer).get(f"/requests/{number}").get_data(as_text=True)
    assert "Nobody is known behind this request" in page


def test_whoever_read_a_request_before_cannot_write_its_reader_back(world: World) -> None:
    stale = world.get(ended(world))
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)

    def save() -> None:
        with world.store.write() as work:
            work.requests.save(stale)

    with pytest.raises(Conflict):
        save()
    assert whose(world, stale.number) is None
