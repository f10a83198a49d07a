"""Which way a text takes: the mildest route, open access as the way out, another source than the reserved one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.citation import Citation
from delivery.lifecycle import State
from delivery.services import officers
from delivery.services.working import run_job, sweep
from delivery.sources import Candidate, Fetched, Fetcher, FetchFailed, receive
from delivery.stores import Source
from tests.world import LIMITED, World


class Elsewhere:
    """A source that has every work with a DOI, or fails with a code."""

    def __init__(self, file: Path, failure: str = "", open_access: bool = False) -> None:
        self.file, self.failure, self.open_access = file, failure, open_access

    def find(self, citation: Citation) -> Candidate | None:
        return Candidate(False, self.open_access) if citation.doi else None

    def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
        if self.failure:
            raise FetchFailed(self.failure, "not today")
        with self.file.open("rb") as stream:
            fetched = receive(stream, into, 10_000_000)
        return replace(fetched, licence="CC BY 4.0", location="repository.example.org", open_access=self.open_access)


@pytest.fixture
def file(collection: Path) -> Path:
    return next((collection / "lantern").glob("*.pdf"))


def with_sources(world: World, extra: Mapping[str, Fetcher], rank: int = 60, agreements: tuple[str, ...] = ()) -> World:
    """The world with further sources that are played by these fetchers."""
    with world.store.write() as work:
        for name, fetcher in extra.items():
            free = getattr(fetcher, "open_access", False)
            kind = "unpaywall" if free else "local_collection"
            work.sources.save(Source(name, kind, name.title(), None, () if free else agreements, {}, rank))
    usual = world.ctx.fetcher
    ctx = replace(world.ctx, fetcher=lambda source: extra[source.id] if source.id in extra else usual(source))
    return replace(world, ctx=ctx)


def run_all(world: World) -> None:
    for _ in range(30):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)


def denied(world: World, *sources: str) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="deny"))
    for source in sources:
        world.bind(source, ["limited"])


def held(world: World, number: str) -> int:
    """Slots reserved or settled and not given back."""
    with world.store.read() as work:
        kinds = [entry.kind for entry in work.ledger.entries(f"{number}/1")]
    return kinds.count("reserve") - kinds.count("release") - kinds.count("refund")


def test_the_mildest_route_wins_and_the_first_on_a_tie(world: World) -> None:
    denied(world, "collection")

    asked = world.ask()

    assert asked.state is State.NEW
    assert asked.source_id == "desk"


def test_where_every_licence_denies_an_open_copy_is_supplied_without_a_slot(world: World, file: Path) -> None:
    denied(world, "collection", "desk")
    free = with_sources(world, {"open": Elsewhere(file, open_access=True)})

    number = free.ask().number
    run_all(free)

    with world.store.read() as work:
        request = work.requests.get(number)
        delivery = work.deliveries.get(request.delivery)
    assert delivery.open_access
    assert (delivery.opens_limit, delivery.stamp["encrypted"]) == (None, False)
    assert held(world, number) == 0


def test_where_no_open_copy_is_found_the_licences_reason_stands(world: World, file: Path) -> None:
    denied(world, "collection", "desk")
    free = with_sources(world, {"open": Elsewhere(file, "no-open-copy", open_access=True)})

    number = free.ask().number
    assert free.get(number).state is State.NEW
    run_all(free)

    request = free.get(number)
    assert (request.state, request.reason) == (State.REFUSED, "ROLLING_QUOTA")
    assert held(world, number) == 0


def test_a_text_from_another_source_is_decided_again_and_its_slots_move(world: World, file: Path) -> None:
    world.load(LIMITED.format(most=5, per="reader", effect="deny"))
    world.load(LIMITED.replace("limited", "other").format(most=5, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    moved = with_sources(world, {"second": Elsewhere(file)}, agreements=("other",))
    broken = replace(moved, ctx=replace(moved.ctx, fetcher=_failing(moved, "collection")))

    number = broken.ask().number
    run_all(broken)

    with world.store.read() as work:
        entries = [(entry.slot.agreement, entry.kind) for entry in work.ledger.entries(f"{number}/1")]
    assert broken.get(number).state is State.SUPPLIED
    assert sorted(entries) == [
        ("limited", "release"),
        ("limited", "reserve"),
        ("other", "reserve"),
        ("other", "settle"),
    ]


def test_a_source_whose_agreement_denies_is_passed_over_and_the_next_one_serves(world: World, file: Path) -> None:
    denied(world, "desk")
    moved = with_sources(world, {"closed": Elsewhere(file)}, rank=10, agreements=("limited",))

    number = moved.ask().number
    run_all(moved)

    assert moved.get(number).state is State.SUPPLIED
    with world.store.read() as work:
        tries = [(tried.source_id, tried.outcome, tried.code) for tried in work.requests.tries(number)]
    assert tries == [("closed", "refused", "ROLLING_QUOTA"), ("collection", "found", "")]


def test_an_approved_request_is_not_asked_about_again_when_it_is_filled(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="needs_approval"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number
    world.work()
    assert world.get(number).hold == "approval"

    officers.approve(world.ctx, world.officer, number, "for her thesis")
    world.work()

    assert world.get(number).state is State.SUPPLIED
    assert held(world, number) == 1


def test_a_limit_that_filled_up_meanwhile_turns_the_copy_down_before_anybody_has_it(world: World) -> None:
    world.load(LIMITED.format(most=1, per="reader", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])
    number = world.ask().number
    with world.store.write() as work:
        # Another copy was noted for the same reader and month after this one was reserved, as a correction by hand would.
        record = work.ledger.record(f"{number}/1")
        assert record is not None
        work.ledger.put_record(
            replace(record, claim="other/1", status="filled", filled_at=world.clock()), world.clock()
        )
    world.work()

    request = world.get(number)
    assert (request.state, request.delivery) == (State.REFUSED, "")
    assert held(world, number) == 0


def test_a_work_without_any_source_goes_to_the_desk_with_its_slot(world: World) -> None:
    number = world.ask(title="Nobody has this", year="2020").number
    world.work()

    assert world.get(number).state is State.AT_DESK


def _failing(world: World, name: str) -> Callable[[Source], Fetcher]:
    usual = world.ctx.fetcher

    class Failing:
        """Holds what it held, and cannot deliver."""

        def __init__(self, fetcher: Fetcher) -> None:
            self.find = fetcher.find

        def fetch(self, citation: Citation, into: Path, deadline: float) -> Fetched:
            raise FetchFailed("server-error", "not today", False)

    return lambda source: Failing(usual(source)) if source.id == name else usual(source)
