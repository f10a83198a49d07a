"""What stays of a reader in what is counted: nothing that leads to him, nothing that joins his rows, and every count of his library."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from delivery.document_request import DocumentRequest
from delivery.errors import Conflict
from delivery.lifecycle import State
from delivery.people import Person
from delivery.privacy import HoldKind
from delivery.services import expiring, holding, joining, requesting, retaining
from delivery.services.deciding import history_record
from delivery.services.forgetting import forget
from delivery.services.replaying import replay
from delivery.services.requesting import Asked
from drm.agreements import load_agreements
from drm.policy import decide
from tests.packed import all_rows, taught
from tests.world import LIMITED, World

DOI = ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002", "10.5555/lantern.2019.0003")
CATEGORY, GROUP, PURPOSE = "professor-emeritus", "oncology-group-7", "research"


def rule(name: str, per: str, most: int, more: str = "") -> str:
    """One more limit that looks back for ever."""
    text = LIMITED.format(most=most, per=per, effect="deny").split("[[agreement.rule]]")[1]
    text = text.replace("limited.per_month", name).replace('"calendar", unit = "month"', '"lifetime"')
    return f"[[agreement.rule]]{more}{text}"


HEAD = LIMITED.format(most=9, per="entity", effect="deny").split("[[agreement.rule]]")[0]
OF_PROFESSORS = f'\nwhen = {{ "reader.category" = "{CATEGORY}", "request.purpose" = "{PURPOSE}" }}'
TEXT = (
    HEAD
    + rule("of.library", "entity", 9)
    + rule("of.professors", "entity", 9, OF_PROFESSORS)
    + rule("of.reader", "reader", 2)
    + rule("of.group", "reader_group", 9)
)


@pytest.fixture
def either(either: World) -> World:
    """A small installation on each database, where one reader has a category and a group."""
    prepared(either)
    return either


def prepared(world: World) -> World:
    world.load(TEXT)
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    run(world, f"UPDATE people SET category = '{CATEGORY}', group_id = '{GROUP}' WHERE id = '{world.reader.id}'")
    return world


def run(world: World, statement: str) -> None:
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        taught(connection).exec_driver_sql(statement)


def ask(world: World, doi: str, other: bool = False) -> DocumentRequest:
    asked = Asked({"doi": doi}, purpose=PURPOSE, deliberate=True)
    return requesting.submit(world.ctx, world.other if other else world.reader, asked).request


def two_copies(world: World) -> list[str]:
    """The reader's two copies, and a third request that his own limit refuses; the links are over, long enough ago."""
    numbers = [ask(world, doi).number for doi in DOI[:2]]
    world.work()
    assert ask(world, DOI[2]).state is State.REFUSED
    world.clock.move(timedelta(days=31))
    expiring.expire_links(world.ctx)
    world.clock.move(timedelta(days=91))
    return numbers


def stored(world: World) -> dict[str, list[str]]:
    """All rows of all tables but the log, as text."""
    with world.services.engine.connect() as connection:
        return {
            table: [str(row) for row in rows] for table, rows in all_rows(connection).items() if table != "audit_events"
        }


def key_of(world: World) -> str:
    with world.store.read() as work:
        return work.secrets.key_of(world.reader.id)


def counts(world: World) -> dict[str, object]:
    """What the library's limits have used up, as the next professor would see it."""
    facts = {
        "entity": {"id": "harbour", "tz": "Europe/Dublin"},
        "reader": {"id": "somebody", "category": CATEGORY},
        "request": {"at": world.clock().isoformat(), "purpose": PURPOSE},
    }
    with world.store.read() as work:
        records = [history_record(record) for record in work.ledger.history([({"entity": "harbour"}, None)])]
    every = decide([load_agreements(TEXT)], facts, records).counts
    return {name: every[name] for name in ("of.library", "of.professors")}


def person(world: World) -> Person:
    with world.store.read() as work:
        return work.people.get(world.reader.id)


@pytest.mark.service
def test_nothing_names_a_forgotten_reader_and_his_librarys_counts_stay(either: World) -> None:
    two_copies(either)
    key, before = key_of(either), counts(either)
    forget(either.ctx, person(either), "operator")

    traces = (either.reader.name, either.reader.email, either.reader.reader_key, either.reader.id, key, CATEGORY, GROUP)
    rules = {"agreements"}  # whose text speaks of the category
    for table, rows in stored(either).items():
        if table not in rules:
            assert not [row for row in rows for trace in traces if trace in row], table
    assert (
        before
        == counts(either)
        == {
            "of.library": {"used": 2, "this": 1, "limit": 9},
            "of.professors": {"used": 2, "this": 1, "limit": 9},
        }
    )


@pytest.mark.service
def test_no_two_rows_of_a_forgotten_reader_share_a_value_that_others_do_not(either: World) -> None:
    mine = two_copies(either)
    theirs = ask(either, DOI[0], other=True).number
    either.work()
    forget(either.ctx, person(either), "operator")

    with either.store.read() as work:
        tokens = {number: set(re.findall(r"[0-9a-f]{32}", str(work.ledger.record(f"{number}/1")))) for number in mine}
        other = set(re.findall(r"[0-9a-f]{32}", str(work.ledger.record(f"{theirs}/1"))))
    first, second = tokens.values()
    assert first
    assert second
    assert not (first & second) - other


def test_what_is_known_of_a_reader_goes_with_the_link_and_his_limits_go_on(world: World) -> None:
    numbers, before = two_copies(prepared(world)), counts(world)
    retaining.announce(world.ctx)
    retaining.carry_out(world.ctx, world.officer)

    rows = stored(world)
    kept = [row for table in ("usage_records", "usage_journal", "requests", "ledger") for row in rows[table]]
    assert world.get(numbers[0]).reader_id is None
    assert not [row for row in kept if CATEGORY in row or GROUP in row]
    with world.store.read() as work:
        assert work.requests.get(numbers[0]).purpose == ""
        assert "purpose" not in str(work.ledger.record(f"{numbers[0]}/1").facts)  # type: ignore[union-attr]
    assert counts(world) == before
    assert ask(world, DOI[2]).reason == "ROLLING_QUOTA"


def test_a_forgotten_reader_begins_afresh(world: World) -> None:
    two_copies(prepared(world))
    forget(world.ctx, person(world), "operator")

    decided = ask(world, DOI[2], other=True).decision["decision"]

    assert decided["counts"]["of.reader"]["used"] == 0  # type: ignore[index]


def test_a_replay_recounts_the_librarys_limits_and_tells_which_it_cannot(world: World) -> None:
    number = two_copies(prepared(world))[1]
    forget(world.ctx, person(world), "operator")

    again = replay(world.ctx, number)

    assert again is not None
    assert (again.differs, set(again.left_out)) == ((), {"of.professors", "of.reader", "of.group"})


def test_a_replay_still_finds_an_edited_count_of_a_forgotten_readers_decision(world: World) -> None:
    number = two_copies(prepared(world))[1]
    forget(world.ctx, person(world), "operator")
    run(world, "UPDATE requests SET decision = replace(plain(decision), '\"used\":1', '\"used\":7')")

    again = replay(world.ctx, number)

    assert again is not None
    assert again.differs == ("rules",)


def test_a_copy_that_he_shared_goes_on_counting_for_the_other(world: World) -> None:
    prepared(world)
    number = requesting.submit(
        world.ctx, world.other, Asked({"title": "Nobody has this", "year": "2020"})
    ).request.number
    world.work()
    joining.join(world.ctx, world.librarian, number, world.reader.email)
    key = key_of(world)

    forget(world.ctx, person(world), "operator")

    assert not [row for rows in stored(world).values() for row in rows if key in row]
    assert ask(world, DOI[0], other=True).decision["decision"]["counts"]["of.reader"]["used"] == 1  # type: ignore[index]


def test_a_hold_keeps_every_row_as_it_is(world: World) -> None:
    two_copies(prepared(world))
    holding.place(world.ctx, world.officer, HoldKind.READER, world.reader.reader_key, "a dispute")
    before = stored(world)["usage_records"]

    with pytest.raises(Conflict, match="hold"):
        forget(world.ctx, person(world), "operator")

    assert stored(world)["usage_records"] == before
