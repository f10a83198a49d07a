"""Two at the same moment on PostgreSQL, where writers do not take turns: whoever comes second sees what the first has done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from delivery.copies import Delivery
from delivery.services import downloading, linking
from drm.tokens import secret_hash
from tests.faults.meeting import at_the_same_moment
from tests.services.postgres import fresh_database
from tests.world import World, make_world

REASON = "Another reader's copy"


@pytest.fixture(scope="module")
def world(postgres_server: str, tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[World]:
    with fresh_database(postgres_server) as database:
        made = make_world(tmp_path_factory.mktemp("world") / "home", collection, database)
        yield made
        made.close()


def supplied(world: World, **changes: object) -> Delivery:
    """A copy, with another limit or other terms than its agreement gave it."""
    number = world.ask().number
    world.work()
    delivery = world.delivery(number)
    with world.store.write() as work:
        work.deliveries.save(replace(delivery, **changes))  # type: ignore[arg-type]  # fields of a copy
    return world.delivery(number)


def press(world: World, delivery: Delivery, device: str = "") -> Callable[[], str]:
    """Press the button of a link's page, which was loaded once; what comes is the window's secret."""
    token = world.ctx.links.sign(delivery.number)
    nonce = downloading.look(world.ctx, token).nonce
    return lambda: downloading.open_window(world.ctx, token, nonce, world.reader, device).secret


def withdraw(world: World, delivery: Delivery) -> Callable[[], Delivery]:
    """Withdraw a copy at the desk."""
    return partial(linking.revoke, world.ctx, world.librarian, delivery.number, REASON)


def test_of_two_devices_that_open_a_link_at_once_only_the_first_is_let_in(world: World) -> None:
    delivery = supplied(world, terms={"same_device": True})

    laptop, phone = (press(world, delivery, device=name) for name in ("laptop", "phone"))
    first, second = at_the_same_moment(world, "window:opened", laptop, phone)

    assert (bool(first), second) == (True, "other-device")
    assert world.delivery(delivery.request).terms["device"] == secret_hash("laptop")
    assert world.delivery(delivery.request).opens_used == 1


@pytest.mark.parametrize("left", [1, 5])
def test_a_double_click_leads_to_one_window_even_at_the_last_open(world: World, left: int) -> None:
    delivery = supplied(world, opens_limit=left)
    click = press(world, delivery)

    first, second = at_the_same_moment(world, "window:opened", click, click)

    assert first == second == click()
    assert world.delivery(delivery.request).opens_used == 1


def test_two_renewals_at_once_are_two(world: World) -> None:
    delivery = supplied(world, terms={"renewals": 1})
    renew = partial(linking.renew, world.ctx, world.reader, delivery.number)

    _, second = at_the_same_moment(world, "copy:renewed", renew, renew)

    assert second == "no-renewals"
    assert world.kinds(delivery.request).count("copy:renewed") == 1


def test_a_renewal_does_not_take_the_mark_of_the_first_device_away(world: World) -> None:
    delivery = supplied(world, terms={"renewals": 1, "same_device": True})
    renew = partial(linking.renew, world.ctx, world.reader, delivery.number)

    at_the_same_moment(world, "window:opened", press(world, delivery, "laptop"), renew)

    assert {"device", "renewed"} < set(world.delivery(delivery.request).terms)


@pytest.mark.parametrize("later", ["resend", "renew", "extend"])
def test_what_is_withdrawn_meanwhile_gets_no_later_end(world: World, later: str) -> None:
    delivery = supplied(world, terms={"renewals": 1})
    more = {
        "resend": lambda: linking.resend(world.ctx, world.librarian, delivery.number),
        "renew": lambda: linking.renew(world.ctx, world.reader, delivery.number),
        "extend": lambda: linking.extend(world.ctx, world.librarian, delivery.number, 3),
    }

    _, heard = at_the_same_moment(world, "copy:revoked", withdraw(world, delivery), more[later])

    assert heard == "link-ended"


def test_a_copy_is_withdrawn_once_by_two_at_once(world: World) -> None:
    delivery = supplied(world)

    _, second = at_the_same_moment(world, "copy:revoked", withdraw(world, delivery), withdraw(world, delivery))

    assert second == "already-withdrawn"
