"""Registering: whoever reads the mail of an address sets the password of its account, whoever registered it how often."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from delivery.errors import Conflict, NotAllowed
from delivery.services import accounts
from delivery.services.accounts import READER_APP
from tests.delivery.web_test_support import token_of
from tests.world import World

EMAIL = "vera@harbour.example.org"
MINE, THEIRS = "victims-own-password-1", "attackers-password-22"


def register(world: World, name: str, password: str) -> None:
    client = world.reader_app().test_client()
    form = {"csrf_token": token_of(client.get("/register").get_data(as_text=True)), "library": "harbour"}
    assert (
        client.post("/register", data={**form, "name": name, "email": EMAIL, "password": password}).status_code == 200
    )
    world.work()
    world.clock.move(timedelta(minutes=2))


def letters(world: World) -> list[str]:
    """The addresses in the letters, oldest first."""
    found = [re.search(r"/confirm/\S+", letter.text) for letter in world.post.letters]
    return [one[0] for one in found if one]


def confirm(world: World, address: str, password: str) -> int:
    client = world.reader_app().test_client()
    page = client.get(address)
    if page.status_code != 200:
        return page.status_code
    assert client.get(address).status_code == 200, "looking at the page uses it up"
    form = {"csrf_token": token_of(page.get_data(as_text=True)), "password": password}
    return client.post(address, data=form).status_code


def signs_in(world: World, password: str) -> bool:
    try:
        accounts.sign_in(world.ctx, READER_APP, EMAIL, password)
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize("order", [(MINE, THEIRS), (THEIRS, MINE), (THEIRS,)])
@pytest.mark.parametrize("letter", [0, -1])
def test_the_password_is_of_who_confirms_and_not_of_who_registered(
    world: World, order: tuple[str, ...], letter: int
) -> None:
    for password in order:
        register(world, "Vera Victim", password)

    assert confirm(world, letters(world)[letter], MINE) == 303
    assert signs_in(world, MINE)
    assert not signs_in(world, THEIRS)
    assert [confirm(world, address, THEIRS) for address in letters(world)] == [410] * len(order)


def test_a_weak_password_does_not_use_the_letter_up(world: World) -> None:
    register(world, "Vera Victim", MINE)

    assert [confirm(world, letters(world)[0], password) for password in ("", "short", MINE)] == [422, 422, 303]


def test_a_letter_opens_no_account_that_was_closed(world: World) -> None:
    register(world, "Vera Victim", MINE)
    with world.store.read() as work:
        person = work.people.by_email(EMAIL)
    assert person is not None
    accounts.disable(world.ctx, person, "operator")

    with pytest.raises(Conflict):
        accounts.confirm(world.ctx, letters(world)[0].removeprefix("/confirm/"), MINE)
