"""Who signed a declaration is shown to an officer when a second one agrees, each look is logged, and no other key opens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from delivery.errors import Conflict, NotAllowed, NotFound
from delivery.people import Role
from delivery.privacy import ActKind
from delivery.services import consenting, two_persons
from drm.tokens import KeyRing
from tests.delivery.web_test_support import signed_in, token_of
from tests.flows.test_consents import DECLARE, asking
from tests.world import World


def signed(world: World) -> str:
    number = asking(world, DECLARE).number
    consenting.declare(world.ctx, world.reader, number, ["named", "not_previously_supplied"])
    return number


def test_a_signer_is_shown_when_a_second_officer_agreed_and_each_look_is_logged(world: World) -> None:
    number, other = signed(world), world.add_person("second", Role.RIGHTS_OFFICER)
    act = two_persons.ask(world.ctx, world.officer, ActKind.SIGNER, number, "the owner inspects")
    with pytest.raises(NotAllowed):
        two_persons.signers(world.ctx, world.officer, number)
    two_persons.answer(world.ctx, other, act.id, True)

    [(declaration, name)] = two_persons.signers(world.ctx, world.officer, number)
    two_persons.signers(world.ctx, world.officer, number)

    assert (declaration.rule, name) == ("asks.declaration", "Maeve Byrne")
    assert world.kinds(number).count("declaration:shown") == 2
    world.clock.move(timedelta(hours=25))
    with pytest.raises(NotAllowed):
        two_persons.signers(world.ctx, world.officer, number)


def test_there_is_nothing_to_show_where_nobody_signed(world: World) -> None:
    with pytest.raises(NotFound):
        two_persons.ask(world.ctx, world.officer, ActKind.SIGNER, world.ask().number, "curious")


def test_a_name_sealed_with_a_lost_key_is_told_in_words(world: World) -> None:
    number = signed(world)
    ctx = replace(world.ctx, ring=KeyRing({"k9": b"x" * 32}), settings=replace(world.ctx.settings, two_person=False))
    two_persons.ask(ctx, world.officer, ActKind.SIGNER, number, "the owner inspects")

    with pytest.raises(Conflict, match="key file"):
        two_persons.signers(ctx, world.officer, number)


def test_officers_ask_agree_and_look_on_the_pages(world: World) -> None:
    number = signed(world)
    client = signed_in(world.staff_app(), world.officer)
    other = signed_in(world.staff_app(), world.add_person("second", Role.RIGHTS_OFFICER))
    page = client.get(f"/requests/{number}").get_data(as_text=True)
    assert "No librarian has supplied me" in page
    assert "Maeve Byrne" not in page

    client.post(f"/rights/acts/signer/{number}", data={"csrf_token": token_of(page), "reason": "the owner inspects"})
    early = client.get(f"/rights/signers/{number}").status_code
    waiting = other.get("/rights/approvals").get_data(as_text=True)
    other.post("/rights/acts/1/grant", data={"csrf_token": token_of(waiting)})

    assert early == 403
    assert "Show who signed" in waiting
    assert "Maeve Byrne" in client.get(f"/rights/signers/{number}").get_data(as_text=True)
