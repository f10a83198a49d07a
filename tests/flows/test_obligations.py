"""What agreements oblige to: notices before asking and before opening, kept with their versions; intermediate copies destroyed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from delivery.lifecycle import State
from delivery.services import fulfilling
from delivery.services.context import Context
from delivery.services.working import run_job, sweep
from delivery.stores import LogFilter
from tests.behaviours.test_link_promises import address, delivery_of
from tests.delivery.web_test_support import signed_in, token_of
from tests.world import OPEN_AGREEMENT, World

WARNING = "used for any purpose other than private study, scholarship, or research"


def obliged(world: World, duties: str) -> None:
    rule = "[[agreement.rule]]"
    text = OPEN_AGREEMENT.replace(rule, f"[agreement.oblige]\n{duties}\n{rule}", 1)
    world.load(text.replace("version = 1\n[", "version = 2\n["))


def test_a_notice_stands_before_the_button_and_its_version_is_kept_with_the_request(world: World) -> None:
    obliged(world, 'notices = ["us.order_form_warning", "us.display_warning"]')
    client = signed_in(world.reader_app(), world.reader)
    page = client.get("/ask").get_data(as_text=True)
    fields = {"csrf_token": token_of(page), "doi": "10.5555/lantern.2021.0001"}

    number = client.post("/requests", data=fields).headers["Location"].rpartition("/")[2]
    world.work()

    assert page.count(WARNING) == 1
    assert page.index(WARNING) < page.index("Send the request")
    assert world.get(number).found["notices"] == {"us.order_form_warning": 1, "us.display_warning": 1}
    landing = world.reader_app().test_client().get(address(world, delivery_of(world, number))).get_data(as_text=True)
    assert WARNING in landing


def test_a_library_without_such_an_agreement_shows_no_notice(world: World) -> None:
    page = signed_in(world.reader_app(), world.reader).get("/ask").get_data(as_text=True)

    assert 'class="notice"' not in page


def test_the_file_a_copy_was_made_from_is_destroyed_where_the_agreement_demands_it(world: World) -> None:
    obliged(world, 'intermediate_copy = "destroy_on_delivery"')
    number = world.ask().number
    world.work()

    request = world.get(number)
    assert request.state is State.SUPPLIED
    assert not world.ctx.blobs.exists(str(request.found["blob"]))
    assert world.ctx.blobs.exists(delivery_of(world, number).blob)
    with world.store.read() as work:
        assert work.log.find(LogFilter(kind="source:destroyed")).total == 1


def test_it_is_kept_while_another_copy_is_being_made_from_it(world: World) -> None:
    obliged(world, 'intermediate_copy = "destroy_on_delivery"')
    first, second = world.ask().number, world.ask().number
    world.work()

    assert (world.get(first).state, world.get(second).state) == (State.SUPPLIED, State.SUPPLIED)
    world.clock.move(world.ctx.settings.window)
    for _ in range(4):
        for job in sweep(world.ctx):
            run_job(world.ctx, job, lambda *_: None)
    assert not world.ctx.blobs.exists(str(world.get(first).found["blob"]))


def test_without_such_an_agreement_it_is_kept(world: World) -> None:
    number = world.ask().number
    world.work()

    assert world.ctx.blobs.exists(str(world.get(number).found["blob"]))


def test_a_text_whose_file_is_destroyed_for_another_copy_at_that_moment_is_found_anew(world: World) -> None:
    obliged(world, 'intermediate_copy = "destroy_on_delivery"')
    first = world.ask().number
    world.work()
    second = world.ask(world.other).number
    lost = True

    def destroy_once(ctx: Context, *found: object) -> object:
        nonlocal lost
        ended = fulfilling_found(ctx, *found)  # type: ignore[arg-type]
        if lost:
            lost = False
            ctx.blobs.remove(str(world.get(second).found["blob"]))
        return ended

    fulfilling_found = fulfilling._found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fulfilling, "_found", destroy_once)
        world.work()
        world.work()

    assert [world.get(number).state for number in (first, second)] == [State.SUPPLIED] * 2
    with world.store.read() as work:
        assert "blob-missing" in [one.code for one in work.requests.tries(second)]


def test_a_text_whose_file_is_gone_again_and_again_is_a_persons(world: World) -> None:
    number = world.ask().number

    def lost(ctx: Context, *found: object) -> object:
        ended = fulfilling_found(ctx, *found)  # type: ignore[arg-type]
        ctx.blobs.remove(str(world.get(number).found["blob"]))
        return ended

    fulfilling_found = fulfilling._found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fulfilling, "_found", lost)
        for _ in range(8):
            for _ in range(12):
                for job in sweep(world.ctx):
                    run_job(world.ctx, job, lambda *_: None)
            world.clock.move(timedelta(minutes=20))

    assert world.get(number).state is State.AT_DESK
