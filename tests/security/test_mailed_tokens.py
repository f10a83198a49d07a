"""A mailed token is good once, in whatever spelling its signature is sent."""

from __future__ import annotations

import string

import pytest

from delivery.errors import Conflict
from delivery.services import accounts
from delivery.services.mailing import password_stamp
from drm.tokens import TokenError
from tests.world import PASSWORD, World


def spellings(world: World, purpose: str, token: str) -> list[str]:
    """The token with every last letter under which it is read: the letter has more bits than the signature needs."""
    found = []
    for letter in f"{string.ascii_letters}{string.digits}-_":
        try:
            world.ctx.signer(purpose).read(token[:-1] + letter, world.ctx.settings.mailed_token_life)
        except TokenError:
            continue
        found.append(token[:-1] + letter)
    return found


def test_an_address_is_confirmed_once_and_no_second_sign_in_is_had_by_another_spelling(world: World) -> None:
    accounts.register(world.ctx, "harbour", "Eve", "eve@harbour.example.org", "en")
    with world.store.read() as work:
        person = work.people.by_email("eve@harbour.example.org")
        assert person is not None
        stamp = password_stamp(work.people.password(person.id))
    written = spellings(world, "confirm", world.ctx.signer("confirm").sign([person.id, stamp]))
    assert len(written) > 1, "the signature has no letter with spare bits: this test shows nothing"

    accounts.confirm(world.ctx, written[0], PASSWORD)

    for token in written:
        with pytest.raises(Conflict):
            accounts.confirm(world.ctx, token, PASSWORD)


def test_a_password_is_set_once(world: World) -> None:
    with world.store.read() as work:
        stamp = password_stamp(work.people.password(world.reader.id))
    written = spellings(world, "reset", world.ctx.signer("reset").sign([world.reader.id, stamp]))

    accounts.reset_password(world.ctx, written[0], "another-battery-staple")

    for token in written:
        with pytest.raises(Conflict):
            accounts.reset_password(world.ctx, token, "a-third-battery-staple")
