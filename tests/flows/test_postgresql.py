"""The same work, the same race and the same life of a prepared document on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from delivery.copies import Window
from delivery.errors import Conflict
from delivery.lifecycle import State
from delivery.services import downloading, expiring, requesting
from tests.world import LIMITED, make_world


def test_a_request_is_supplied_and_a_limit_holds_against_many_at_once(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    number = world.ask().number
    world.work()
    assert world.get(number).state is State.SUPPLIED
    world.load(LIMITED.format(most=3, per="entity", effect="deny"))
    world.bind("collection", ["limited"])
    world.bind("desk", ["limited"])

    with ThreadPoolExecutor(12) as pool:
        states = list(pool.map(lambda _: world.ask().state, range(40)))

    # The copy that was supplied before counts too, whatever agreement it was under.
    assert states.count(State.NEW) == 2
    assert world.ctx.check_log().whole
    world.services.engine.dispose()


def test_a_prepared_document_serves_two_readers_and_goes_with_the_last_link(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    first, second = world.ask().number, world.ask(world.other).number
    world.work()
    assert world.delivery(first).master == world.delivery(second).master != ""

    world.clock.move(timedelta(days=365))
    expiring.expire_links(world.ctx)
    world.clock.move(timedelta(hours=3))
    expiring.remove_files(world.ctx)

    assert expiring.remove_masters(world.ctx) == 1
    assert not list((world.services.settings.blob_folder / "masters").rglob("*.pdf"))
    world.services.engine.dispose()


def test_jobs_are_rung_for_and_what_is_given_back_is_logged(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    world.load(LIMITED.format(most=3, per="entity", effect="deny"))
    world.bind("collection", ["limited"])
    rung: list[int] = []
    world.store.ring = rung.append
    number = world.ask().number

    requesting.cancel(world.ctx, world.reader, number)

    assert len(rung) == 1
    assert "quota:released" in world.kinds(number)
    world.close()


def test_of_many_who_open_a_link_at_once_no_more_get_in_than_may(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    number = world.ask().number
    world.work()
    token = world.ctx.links.sign(world.get(number).delivery)
    nonces = [downloading.look(world.ctx, token).nonce for _ in range(24)]

    def opened(nonce: str) -> str:
        try:
            return "in" if downloading.open_window(world.ctx, token, nonce, None).secret else ""
        except Conflict as refused:
            return refused.code

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(opened, nonces))

    # Who comes too late hears that the link is used up; that the database would not have it either is the last resort.
    assert (answers.count("in"), answers.count("link-used_up")) == (5, 19)
    assert world.delivery(number).opens_used == world.delivery(number).opens_limit == 5
    world.close()


def test_the_rows_of_a_link_let_no_more_in_than_may_even_where_nobody_holds_its_copy(
    postgres_url: str, tmp_path: Path, collection: Path
) -> None:
    world = make_world(tmp_path / "home", collection, postgres_url)
    number = world.ask().number
    world.work()
    copy, now = world.get(number).delivery, world.clock()

    def opened(place: int) -> bool:
        with world.store.write() as work:
            return work.deliveries.open_window(copy, Window(f"window {place}", copy, now, now), now)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(opened, range(24))).count(True) == 5

    assert world.delivery(number).opens_used == 5
    world.close()
