"""What is done about an account by somebody who read it a moment ago does not undo what was done to it in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from delivery.errors import DeliveryError
from delivery.people import Person, Role, Standing
from delivery.ports import Store, Work
from delivery.services import accounts, second_factors
from delivery.services.accounts import READER_APP, STAFF_APP
from delivery.services.context import Context
from delivery.services.mailing import password_stamp
from tests.flows.test_second_factor import code_of
from tests.world import PASSWORD, World, make_world

OTHER, THIRD = "another-battery-staple", "a-third-battery-staple"
MOMENTS = range(1, 8)


@dataclass
class Meanwhile:
    """A store before whose n-th transaction something is done by another, over another connection."""

    store: Store
    left: int
    act: Callable[[], object]
    done: bool = False

    def _next(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.done = True
            self.act()

    @contextmanager
    def write(self) -> Iterator[Work]:
        """A transaction of the store."""
        self._next()
        with self.store.write() as work:
            yield work

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A transaction of the store."""
        self._next()
        with self.store.read() as work:
            yield work


def before(world: World, moment: int, act: Callable[[], object]) -> tuple[Context, Meanwhile]:
    store = Meanwhile(world.store, moment, act)
    return replace(world.ctx, store=store), store


def now(world: World, person: Person) -> Person:
    with world.store.read() as work:
        return work.people.get(person.id)


def mailed(world: World, purpose: str, person: Person) -> str:
    with world.store.read() as work:
        return world.ctx.signer(purpose).sign([person.id, password_stamp(work.people.password(person.id))])


def test_a_language_chosen_on_an_old_page_leaves_the_account_closed(world: World) -> None:
    accounts.disable(world.ctx, world.reader, "operator")
    accounts.change_language(world.ctx, world.reader, "zh")

    assert (now(world, world.reader).standing, now(world, world.reader).language) == (Standing.DISABLED, "zh")


def test_what_an_operator_does_not_name_stays_as_it_has_become(world: World) -> None:
    accounts.change(world.ctx, world.reader, accounts.Changes(category="staff"), "operator")
    accounts.change(world.ctx, world.reader, accounts.Changes(name="Maeve Doyle"), "operator")
    accounts.disable(world.ctx, world.reader, "operator")
    accounts.change(world.ctx, world.reader, accounts.Changes(roles=frozenset({Role.LIBRARIAN})), "operator")

    found = now(world, world.reader)
    assert (found.category, found.name, found.standing) == ("staff", "Maeve Doyle", Standing.DISABLED)
    assert found.roles == {Role.LIBRARIAN}


def test_a_new_password_opens_no_account_that_was_closed_after_the_look(world: World) -> None:
    accounts.disable(world.ctx, world.reader, "operator")
    accounts.set_password(world.ctx, world.reader, OTHER, opens=True)
    assert now(world, world.reader).standing is Standing.DISABLED

    accounts.set_password(world.ctx, now(world, world.reader), OTHER, opens=True)
    assert now(world, world.reader).standing is Standing.ACTIVE


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_confirmed_address_opens_no_account_that_was_closed_meanwhile(world: World, moment: int) -> None:
    accounts.register(world.ctx, "harbour", "Eve", "eve@harbour.example.org", "en")
    with world.store.read() as work:
        person = work.people.by_email("eve@harbour.example.org")
    assert person is not None
    token = mailed(world, "confirm", person)
    ctx, store = before(world, moment, lambda: accounts.disable(world.ctx, person, "operator"))
    with suppress(DeliveryError):
        accounts.confirm(ctx, token, OTHER)

    assert now(world, person).standing is (Standing.DISABLED if store.done else Standing.ACTIVE)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_mailed_token_sets_no_password_where_another_was_set_meanwhile(world: World, moment: int) -> None:
    token = mailed(world, "reset", world.reader)
    ended: list[str] = []
    ctx, store = before(world, moment, lambda: accounts.set_password(world.ctx, world.reader, OTHER))
    try:
        accounts.reset_password(ctx, token, THIRD)
    except DeliveryError as error:
        ended.append(error.code)

    assert ended == (["mailed-link-over"] if store.done else [])


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("app", [READER_APP, STAFF_APP])
def test_no_sign_in_outlives_the_password_it_was_had_by(world: World, app: str, moment: int) -> None:
    person = world.librarian
    ctx, store = before(world, moment, lambda: accounts.set_password(world.ctx, person, OTHER))
    secret = ""
    with suppress(DeliveryError):
        secret = accounts.sign_in(ctx, app, person.email, PASSWORD).secret

    assert (accounts.who(world.ctx, app, secret) is None) is store.done


@pytest.mark.parametrize("moment", MOMENTS)
def test_no_second_factor_completes_a_sign_in_that_was_ended_meanwhile(world: World, moment: int) -> None:
    person = world.librarian
    begun = second_factors.begin_app(world.ctx, person)
    second_factors.enrol_app(world.ctx, person, begun.token, code_of(world, begun.secret), "Phone")
    world.clock.now = world.clock.now.replace(minute=5)
    half = accounts.sign_in(world.ctx, STAFF_APP, person.email, PASSWORD).secret
    ctx, store = before(world, moment, lambda: accounts.set_password(world.ctx, person, OTHER))
    secret = ""
    with suppress(DeliveryError):
        secret = second_factors.finish_by_code(ctx, half, code_of(world, begun.secret)).secret

    assert (accounts.who(world.ctx, STAFF_APP, secret) is None) is store.done


@pytest.mark.parametrize("moment", range(1, 6))
def test_the_old_password_takes_no_factor_away(world: World, moment: int) -> None:
    person = world.librarian
    begun = second_factors.begin_app(world.ctx, person)
    second_factors.enrol_app(world.ctx, person, begun.token, code_of(world, begun.secret), "Phone")
    factor = second_factors.kept(world.ctx, person).factors[0].id
    ctx, store = before(world, moment, lambda: accounts.set_password(world.ctx, person, OTHER))
    with suppress(DeliveryError):
        second_factors.remove(ctx, person, factor, PASSWORD)

    assert bool(second_factors.kept(world.ctx, person).factors) is store.done


def test_postgresql_lets_nobody_close_an_account_that_is_being_changed(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    closing = threading.Thread(target=accounts.disable, args=(world.ctx, world.reader, "operator"))
    with world.store.write() as work:
        person = work.people.lock(world.reader.id)
        closing.start()
        closing.join(0.5)
        assert closing.is_alive()
        work.people.save(replace(person, language="zh"))
    closing.join(10)

    found = now(world, world.reader)
    world.close()
    assert (found.standing, found.language) == (Standing.DISABLED, "zh")
