"""Two at the same moment on PostgreSQL, where writers do not take turns: whoever comes second sees what the first has done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from delivery.copies import CopyState, Delivery
from delivery.numbers import check_code
from delivery.people import Role
from delivery.services import checking, desk, downloading, expiring, linking, reissuing, requesting
from delivery.services.forgetting import forget
from delivery.services.requesting import Asked, Submitted
from drm.tokens import secret_hash
from tests.faults.meeting import at_the_same_moment, told, until_it_waits
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


def now(world: World, delivery: Delivery) -> Delivery:
    """A copy as it is now, also when its request has another."""
    with world.store.read() as work:
        return work.deliveries.get(delivery.number)


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


def test_a_form_that_is_sent_twice_at_once_makes_one_request(world: World) -> None:
    fields = {"title": "Asked for once", "container": "A journal", "year": "2020"}
    send = partial(requesting.submit, world.ctx, world.other, Asked(fields))

    first, second = at_the_same_moment(world, "request:created", send, send)

    assert isinstance(first, Submitted)
    assert isinstance(second, Submitted)
    assert (first.repeats, second.repeats) == (False, True)
    assert first.request.number == second.request.number


def test_who_asks_while_he_is_forgotten_is_not_forgotten_with_an_open_request(world: World) -> None:
    reader = world.add_person("grainne", Role.READER)
    ask = partial(world.ask, reader)

    _, second = at_the_same_moment(world, "request:created", ask, partial(forget, world.ctx, reader, "system"))

    assert second == "open-requests"


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


@pytest.mark.parametrize("step", ["copy:revoked", "request:replaced"])
def test_what_is_withdrawn_while_its_link_ends_stays_withdrawn(world: World, step: str) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=365))
    replaced = partial(desk.replace_copy, world.ctx, world.librarian, delivery.request, "Another article")
    first = replaced if step == "request:replaced" else withdraw(world, delivery)

    at_the_same_moment(world, step, first, partial(expiring.expire_links, world.ctx))

    assert now(world, delivery).state in {CopyState.REVOKED, CopyState.REPLACED}
    found = downloading.check_copy(world.ctx, check_code(world.ctx.ring.derive("rushlight.check.v1"), delivery.number))
    assert found is not None
    assert found.withdrawn
    assert "copy:expired" not in world.kinds(delivery.request)


def test_a_link_that_ends_is_closed_once_by_two_at_once(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=365))
    expire = partial(expiring.expire_links, world.ctx)

    first, second = at_the_same_moment(world, "copy:expired", expire, expire)

    assert (bool(first), second) == (True, 0)
    assert world.kinds(delivery.request).count("copy:expired") == 1


def test_who_closes_links_and_who_works_at_the_desk_never_wait_for_each_other(world: World) -> None:
    delivery = supplied(world)
    world.clock.move(timedelta(days=365))

    with ThreadPoolExecutor(1) as pool:
        with world.store.write() as work:
            work.requests.lock(delivery.request)
            expired = pool.submit(told, partial(expiring.expire_links, world.ctx))
            until_it_waits(world, expired)
            work.deliveries.save(replace(delivery, ended_reason="Seen at the desk"))

        assert isinstance(expired.result(), int)
    assert (now(world, delivery).state, now(world, delivery).ended_reason) == (CopyState.EXPIRED, "Seen at the desk")


def test_a_file_is_removed_once_by_two_at_once(world: World) -> None:
    delivery = supplied(world)
    withdraw(world, delivery)()
    remove = partial(expiring.remove_file, world.ctx, now(world, delivery), world.clock())

    at_the_same_moment(world, "copy:removed", remove, remove)

    assert world.kinds(delivery.request).count("copy:removed") == 1


@pytest.mark.parametrize("lost", [False, True])
def test_a_copy_that_is_withdrawn_while_it_is_made_anew_stays_as_it_was_withdrawn(world: World, lost: bool) -> None:
    delivery = supplied(world)
    if lost:
        reissuing.give_up_master(world.ctx, delivery.master, "lost")
        world.ctx.blobs.remove(str(world.get(delivery.request).found["blob"]))
    anew = partial(checking.make_anew, world.ctx, delivery.number, delivery.master, "output-invalid", lambda: None)

    at_the_same_moment(world, "copy:revoked", withdraw(world, delivery), anew)

    assert now(world, delivery).ended_reason == REASON
    assert world.kinds(delivery.request)[-1] == "copy:revoked"
    assert world.kinds(delivery.request).count("copy:revoked") == 1
