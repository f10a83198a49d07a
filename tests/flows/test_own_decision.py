"""A copy rests on what was decided for its own source and its own work, whichever way its request came there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict
from delivery.lifecycle import Action, State
from delivery.people import Role
from delivery.privacy import ActKind
from delivery.services import desk, officers, overriding, two_persons, working
from delivery.services.fulfilling import start_preparing
from tests.faults.installation import violations
from tests.flows.test_routes import Elsewhere, held, run_all, with_sources
from tests.world import LIMITED, World, citation

FIRST, SECOND = "10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002"
ONE_OF_EACH = """
vocabulary = 1
[[agreement]]
id = "one_each"
title = "One of each article"
jurisdiction = "IE"
kind = "licence"
version = 1
[[agreement.rule]]
id = "one_each.article"
type = "limit"
measure = "copies"
max = 1
per = ["article"]
window = { type = "lifetime" }
count = ["filled"]
hold = ["reserved"]
effect = "deny"
reason = "ARTICLE_LIMIT"
[[agreement.rule]]
id = "one_each.looked_at"
type = "limit"
measure = "copies"
max = 0
per = ["reader"]
window = { type = "calendar", unit = "month" }
count = ["filled"]
hold = ["reserved"]
effect = "needs_approval"
reason = "READER_LIMIT"
"""


@contextmanager
def unforeseen(world: World) -> Iterator[None]:
    """A fault that nobody foresaw in the making of copies."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(working, "prepare", broken)
        yield


def set_aside(world: World) -> DocumentRequest:
    """A request whose file was found and whose job was set aside, so that it lies at the desk."""
    number = world.ask().number
    with unforeseen(world):
        for _ in range(4):
            run_all(world)
            world.clock.move(timedelta(minutes=40))
    request = world.get(number)
    assert (request.state, request.source_id) == (State.AT_DESK, "collection")
    return request


def upload(world: World, request: DocumentRequest, collection: Path) -> None:
    data = next((collection / "lantern").glob("*.pdf")).read_bytes()
    desk.upload(world.ctx, world.librarian, request.number, io.BytesIO(data), "a.pdf", len(data))
    world.work()


def test_a_librarian_fills_what_was_set_aside_under_the_agreements_of_the_desk(world: World, collection: Path) -> None:
    world.load(LIMITED.format(most=1, per="reader", effect="deny"))
    world.bind("desk", ["limited"])
    request = set_aside(world)

    upload(world, request, collection)

    delivery = world.delivery(request.number)
    assert (delivery.source_id, delivery.agreements) == ("desk", (("limited", 1),))


@pytest.mark.parametrize(("effect", "state"), [("deny", State.REFUSED), ("needs_approval", State.NEW)])
def test_what_the_desk_may_not_supply_does_not_go_out_because_a_job_was_set_aside(
    world: World, collection: Path, effect: str, state: State
) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect=effect))
    world.bind("desk", ["limited"])
    request = set_aside(world)

    if effect == "deny":
        upload(world, request, collection)
    else:
        with pytest.raises(Conflict, match="ask for more"):
            upload(world, request, collection)

    after = world.get(request.number)
    assert (after.state, after.delivery, after.reason) == (state, "", "ROLLING_QUOTA")
    assert after.hold == ("" if effect == "deny" else "approval")


def test_a_file_of_one_source_never_goes_out_on_what_was_decided_for_another(world: World, collection: Path) -> None:
    request = set_aside(world)
    with world.store.write() as work:
        held_back = work.requests.lock(request.number)
        found = {**held_back.found, "source": "desk", "open_access": False}
        start_preparing(work, replace(held_back, found=found), Action.UPLOAD, world.clock())

    world.work()

    assert (world.get(request.number).state, world.get(request.number).delivery) == (State.AT_DESK, "")


def test_a_decision_without_agreements_supplies_nothing_but_open_access(world: World) -> None:
    number = world.ask().number
    with world.store.write() as work:
        request = work.requests.lock(number)
        work.requests.save(replace(request, decision={**request.decision, "agreements": []}))

    world.work()

    assert (world.get(number).state, world.get(number).reason) == (State.REFUSED, "NO_AGREEMENT")


def test_a_citation_that_is_mended_while_a_request_waits_for_approval_is_what_counts(world: World) -> None:
    world.load(ONE_OF_EACH)
    for source in ("collection", "desk"):
        world.bind(source, ["one_each"])
    used = world.ask(doi=FIRST)
    officers.approve(world.ctx, world.officer, used.number, "")
    world.work()
    asked = world.ask(world.other, doi=SECOND)
    first = {name: value for name, value in world.get(used.number).citation.to_dict().items() if value}

    desk.edit_citation(world.ctx, world.librarian, asked.number, first, asked.version)

    waiting = world.get(asked.number)
    assert (waiting.hold, waiting.reason, held(world, asked.number)) == ("approval", "ARTICLE_LIMIT", 0)
    with pytest.raises(Conflict, match="deny this request"):
        officers.approve(world.ctx, world.officer, asked.number, "")
    second = {name: value for name, value in asked.citation.to_dict().items() if value}
    desk.edit_citation(world.ctx, world.librarian, asked.number, second, waiting.version)
    officers.approve(world.ctx, world.officer, asked.number, "")
    world.work()
    assert world.get(asked.number).state is State.SUPPLIED


def test_what_was_denied_when_it_was_edited_takes_a_place_when_it_is_filled_after_all(
    world: World, collection: Path
) -> None:
    world.load(ONE_OF_EACH.replace("max = 0", "max = 9"))
    world.bind("collection", [])
    world.bind("desk", ["one_each"])
    first, second = (
        world.ask(reader, title=title, container="A journal", year="2020").number
        for reader, title in ((world.reader, "One work"), (world.other, "Another work"))
    )
    world.work()
    wanted = {name: value for name, value in world.get(first).citation.to_dict().items() if value}
    desk.edit_citation(world.ctx, world.librarian, second, wanted, world.get(second).version)
    assert (world.get(second).reason, held_of(world, second)) == ("ARTICLE_LIMIT", 0)

    desk.leave_unfilled(world.ctx, world.librarian, first, "nobody has it")
    upload(world, world.get(second), collection)

    assert (world.get(second).state, held_of(world, second)) == (State.SUPPLIED, 2)
    assert violations(world) == []


def held_of(world: World, number: str) -> int:
    """Slots that the present claim of a request holds."""
    with world.store.read() as work:
        return sum(entry.kind == "reserve" for entry in work.ledger.entries(world.get(number).claim))


def test_a_citation_is_not_changed_while_its_text_is_looked_for(world: World) -> None:
    asked = world.ask(doi=FIRST)

    with pytest.raises(Conflict, match="looked for"):
        desk.edit_citation(world.ctx, world.librarian, asked.number, {"doi": SECOND, "title": "x"}, asked.version)

    assert world.get(asked.number).citation == citation(**asked.citation.to_dict())


def test_what_was_approved_for_one_source_counts_under_that_ones_agreements(
    world: World, tmp_path: Path, collection: Path
) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    number = world.ask().number
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\n" + bytes(2_000))
    other = with_sources(world, {"second": Elsewhere(damaged)}, rank=10, agreements=("open",))
    officers.approve(world.ctx, world.officer, number, "")

    run_all(other)

    delivery = world.delivery(number)
    with world.store.read() as work:
        record = work.ledger.record(world.get(number).claim)
    assert (delivery.source_id, delivery.agreements) == ("collection", (("limited", 1),))
    assert record is not None
    assert (record.status, record.under) == ("filled", ("limited",))


def test_an_override_that_is_granted_twice_at_once_supplies_one_copy(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="deny"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    refused = world.ask().number
    act = two_persons.ask(world.ctx, world.officer, ActKind.OVERRIDE, refused, "the court asks for it")
    second, looked = world.add_person("Brid", Role.RIGHTS_OFFICER), overriding.routes_for

    def meanwhile(*given: object) -> object:
        patch.undo()
        two_persons.answer(world.ctx, second, act.id, True)
        return looked(*given)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_persons, "routes_for", meanwhile)
        with pytest.raises(Conflict, match="answered before"):
            two_persons.answer(world.ctx, second, act.id, True)

    with world.store.read() as work:
        assert work.requests.of_reader(world.reader.id, 9).total == 2
