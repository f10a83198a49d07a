"""Where agreements hold: a source without one supplies nothing, and the asking library's are kept beside the source's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from admin.rights_office.agreements import SKELETON
from delivery.errors import Invalid, NotAllowed
from delivery.lifecycle import State
from delivery.services import binding
from delivery.stores import AgreementVersion
from drm.agreements import load_agreements
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import LIMITED, World


def test_a_source_without_an_agreement_supplies_nothing_from_the_next_request_on(world: World) -> None:
    assert world.ask().state is State.NEW

    for source in ("collection", "desk"):
        binding.bind_source(world.ctx, world.officer, source, [])

    assert (world.ask().state, world.ask().reason) == (State.REFUSED, "NO_AGREEMENT")


def test_the_law_of_the_library_that_asks_counts_beside_the_sources_agreement(world: World) -> None:
    world.load(LIMITED.format(most=1, per="entity", effect="deny"))
    binding.bind_library(world.ctx, world.officer, "harbour", ["limited"])

    first, second = world.ask(), world.ask()

    assert (first.state, second.state) == (State.NEW, State.REFUSED)
    assert second.decision["agreements"] == [["open", 1], ["limited", 1]]


def test_a_library_whose_agreement_is_not_in_force_gets_nothing(world: World) -> None:
    text = LIMITED.format(most=9, per="entity", effect="deny")
    over = AgreementVersion("limited", 1, "Limited", text, "confirmed", effective_to=world.clock() - timedelta(days=1))
    with world.store.write() as work:
        work.agreements.add(over, world.clock())
    binding.bind_library(world.ctx, world.officer, "harbour", ["limited"])

    assert world.ask().reason == "NO_AGREEMENT"


def test_only_an_agreement_with_a_confirmed_version_can_be_bound(world: World) -> None:
    with pytest.raises(Invalid):
        binding.bind_source(world.ctx, world.officer, "collection", ["open", "nobody-confirmed-this"])
    with pytest.raises(NotAllowed):
        binding.bind_source(world.ctx, world.librarian, "collection", ["open"])


def test_the_officer_binds_on_the_page_and_the_act_is_logged(world: World) -> None:
    world.load(LIMITED.format(most=1, per="entity", effect="deny"))
    client = signed_in(world.staff_app(), world.officer)
    token = token_of(client.get("/rights/where").get_data(as_text=True))

    answer = client.post("/rights/where/library/harbour", data={"csrf_token": token, "agreements": ["limited"]})

    assert answer.status_code == 303
    assert client.get("/rights/where").get_data(as_text=True).count("checked") == 3
    with world.store.read() as work:
        assert b'"code":"library:harbour"' in list(work.log.rows())[-1].leaf


def test_the_text_that_a_new_agreement_starts_from_is_a_good_one(world: World) -> None:
    page = signed_in(world.staff_app(), world.officer).get("/rights/agreements/new").get_data(as_text=True)

    assert "example-licence" in page
    assert load_agreements(SKELETON.read_text(encoding="utf-8"))[0].rules


def test_the_officer_is_warned_of_a_rule_that_no_copy_of_a_source_can_meet(world: World) -> None:
    rule = 'when = { "request.via" = "ill" }\nmeasure = "copies"'
    world.load(LIMITED.format(most=1, per="entity", effect="deny").replace('measure = "copies"', rule))
    binding.bind_source(world.ctx, world.officer, "desk", ["limited"])
    binding.bind_source(world.ctx, world.officer, "collection", ["limited"])

    found = binding.bindings(world.ctx, world.officer).idle

    # Other libraries' readers get copies of the collection too, but the desk serves its own alone.
    assert [(one.rule, one.vias) for one in found["desk"]] == [("limited.per_month", ("own_reader",))]
    assert found["collection"] == ()
    page = signed_in(world.staff_app(), world.officer).get("/rights/where").get_data(as_text=True)
    assert "limited.per_month never applies here" in page
