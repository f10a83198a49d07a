"""Agreements as governed data: drafts, two persons, simulation and replay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from delivery.errors import Conflict, Invalid, NotAllowed
from delivery.people import Person, Role
from delivery.services import governing
from delivery.services.replaying import replay, replay_all
from delivery.services.simulating import simulate
from drm.agreements import AgreementError, load_agreements, split_file
from tests.packed import taught
from tests.world import LIMITED, OPEN_AGREEMENT, World

ONE_A_MONTH = LIMITED.format(most=1, per="reader", effect="deny")
TWO_A_MONTH = ONE_A_MONTH.replace("version = 1\n[[", "version = 2\n[[").replace("max = 1", "max = 2")


def second_officer(world: World) -> Person:
    return world.add_person("second", Role.RIGHTS_OFFICER)


def limited(world: World, text: str = ONE_A_MONTH) -> None:
    world.load(text)
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])


def three_requests(world: World) -> list[str]:
    numbers = []
    for doi in ("10.5555/lantern.2021.0001", "10.5555/lantern.2022.0002", "10.5555/lantern.2019.0003"):
        numbers.append(world.ask(doi=doi).number)
        world.clock.move(timedelta(minutes=1))
    return numbers


def test_a_draft_decides_nothing(world: World) -> None:
    limited(world)
    governing.save_draft(world.ctx, world.officer, TWO_A_MONTH)

    world.ask()
    assert world.ask(doi="10.5555/lantern.2022.0002").state == "refused"


def test_a_confirmed_version_decides_from_the_next_request_on(world: World) -> None:
    limited(world)
    world.ask()
    governing.save_draft(world.ctx, world.officer, TWO_A_MONTH)
    governing.propose(world.ctx, world.officer, "limited", 2, "more for our readers")
    governing.confirm(world.ctx, second_officer(world), "limited", 2, "")

    assert world.ask(doi="10.5555/lantern.2022.0002").state == "new"
    assert world.ctx.check_log().whole


def test_nobody_confirms_what_he_proposed(world: World) -> None:
    governing.save_draft(world.ctx, world.officer, ONE_A_MONTH)
    governing.propose(world.ctx, world.officer, "limited", 1, "")

    with pytest.raises(Conflict) as refused:
        governing.confirm(world.ctx, world.officer, "limited", 1, "")

    assert refused.value.code == "second-person"


def test_a_confirmed_version_is_frozen_and_the_error_names_the_next_number(world: World) -> None:
    limited(world)

    with pytest.raises(Conflict) as refused:
        governing.save_draft(world.ctx, world.officer, ONE_A_MONTH.replace("max = 1", "max = 9"))

    assert "version 2" in refused.value.text


def test_a_librarian_changes_no_agreement(world: World) -> None:
    with pytest.raises(NotAllowed):
        governing.save_draft(world.ctx, world.librarian, ONE_A_MONTH)


@pytest.mark.parametrize(
    "text", ["", "vocabulary = 1", ONE_A_MONTH + ONE_A_MONTH.replace("limited", "other").replace("vocabulary = 1", "")]
)
def test_a_text_holds_exactly_one_agreement(world: World, text: str) -> None:
    with pytest.raises((Invalid, AgreementError)):
        governing.save_draft(world.ctx, world.officer, text)


def test_the_difference_to_the_running_version_is_shown(world: World) -> None:
    limited(world)
    draft = governing.save_draft(world.ctx, world.officer, TWO_A_MONTH)

    lines = governing.difference(world.ctx, world.officer, draft)

    assert "-max = 1" in lines
    assert "+max = 2" in lines


def test_a_stored_decision_is_replayed_from_the_history_it_saw(world: World) -> None:
    limited(world)
    first = world.ask().number
    world.work()
    second = world.ask(doi="10.5555/lantern.2022.0002").number
    world.clock.move(timedelta(days=40))
    world.ask(doi="10.5555/lantern.2019.0003")
    world.work()

    for number in (first, second):
        again = replay(world.ctx, number)
        assert again is not None
        assert again.differs == (), again
    assert len(list(replay_all(world.ctx, None, None))) == 3


def test_a_replay_sees_that_a_stored_decision_was_edited(world: World) -> None:
    limited(world)
    number = world.ask().number
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        edited = "UPDATE requests SET decision = replace(plain(decision), '\"used\":0', '\"used\":7') WHERE number = ?"
        taught(connection).exec_driver_sql(edited, (number,))

    again = replay(world.ctx, number)

    assert again is not None
    assert "counts" in again.differs


def test_a_stricter_text_would_have_refused_what_came_too_much(world: World) -> None:
    limited(world, LIMITED.format(most=5, per="reader", effect="deny"))
    start = world.clock()
    numbers = three_requests(world)
    world.work()
    stricter = load_agreements(TWO_A_MONTH.replace("max = 2", "max = 1"))

    found = simulate(world.ctx, stricter, start, start + timedelta(days=1))

    assert (found.decided, found.supplied) == (3, 3)
    assert [one.request for one in found.refused] == numbers[1:]
    assert found.freed == ()


def test_a_milder_text_would_have_freed_refused_requests_up_to_its_own_limit(world: World) -> None:
    limited(world)
    start = world.clock()
    numbers = three_requests(world)
    world.work()

    found = simulate(world.ctx, load_agreements(TWO_A_MONTH), start, start + timedelta(days=1))

    assert [one.request for one in found.freed] == [numbers[1]]
    assert found.refused == ()


def test_a_statement_without_words_keeps_an_agreement_from_being_proposed(world: World) -> None:
    rule = 'type = "declare"\nby = "reader"\nall = ["nomed"]\neffect = "needs_declaration"\nreason = "DECLARATION_INCOMPLETE"\n'
    text = OPEN_AGREEMENT.replace('id = "open"', 'id = "new"').replace('"open.one_copy"', '"new.one_copy"')
    governing.save_draft(world.ctx, world.officer, f'{text}[[agreement.rule]]\nid = "new.declare"\n{rule}')

    with pytest.raises(Conflict, match="nomed"):
        governing.propose(world.ctx, world.officer, "new", 1, "")


def test_a_text_with_a_new_id_is_tried_on_the_requests_it_would_hold_for(world: World) -> None:
    for _ in range(3):
        world.ask()
        world.work()
    text = LIMITED.format(most=1, per="entity", effect="deny")
    texts = load_agreements(text)
    period = (world.clock() - timedelta(days=1), world.clock() + timedelta(days=1))

    everywhere = simulate(world.ctx, texts, *period)
    other = simulate(world.ctx, texts, *period, libraries=["glenmore"])
    own = simulate(world.ctx, texts, *period, sources=["collection"])

    assert (everywhere.decided, other.decided, own.decided) == (3, 0, 3)
    assert (len(everywhere.refused), len(own.refused)) == (2, 2)


def test_a_file_of_several_agreements_becomes_as_many_drafts(world: World, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    second = OPEN_AGREEMENT.replace("vocabulary = 1", "").replace("open", "second")
    file.write_text(LIMITED.format(most=1, per="entity", effect="deny") + second, encoding="utf-8")

    kept = governing.save_drafts(world.ctx, world.officer, split_file(file))

    assert [(one.id, one.standing) for one in kept] == [("limited", "draft"), ("second", "draft")]
    with pytest.raises(Conflict):
        governing.save_drafts(world.ctx, world.officer, [kept[1].text.replace("second", "third"), OPEN_AGREEMENT])
    with world.store.read() as work:
        assert work.agreements.versions("third") == ()
