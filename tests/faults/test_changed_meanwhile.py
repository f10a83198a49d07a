"""A request that somebody changes while a worker has its value in hand: what he did stands, and nothing is done that he took back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from delivery.lifecycle import State
from delivery.services import requesting
from delivery.services.fulfilling import fetch
from delivery.services.preparing import prepare
from storage.models import DeliveryRow, JobRow
from tests.world import World


def once(act: Callable[[], object]) -> Callable[[], None]:
    """What the worker calls now and then: the first time somebody else comes in between."""
    left = [act]

    def alive() -> None:
        if left:
            left.pop()()

    return alive


def nothing() -> None:
    """Nobody comes."""


def count(world: World, table: type, *wanted: object) -> int:
    with world.services.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()  # type: ignore[arg-type]  # conditions


def annotate(world: World, number: str) -> None:
    with world.store.write() as work:
        work.requests.save(replace(work.requests.lock(number), assignee_id=world.librarian.id))


def test_a_request_that_is_taken_back_while_its_file_comes_is_not_prepared(world: World) -> None:
    number = world.ask().number

    assert fetch(world.ctx, number, once(lambda: requesting.cancel(world.ctx, world.reader, number))) is None
    assert world.get(number).state is State.CANCELLED
    assert count(world, JobRow, JobRow.kind == "prepare") == 0


def test_a_request_that_is_taken_back_while_its_copy_is_made_is_not_supplied(world: World) -> None:
    number = world.ask().number
    fetch(world.ctx, number, nothing)

    assert prepare(world.ctx, number, once(lambda: requesting.cancel(world.ctx, world.reader, number))) is None
    assert world.get(number).state is State.CANCELLED
    assert count(world, DeliveryRow) == 0


@pytest.mark.parametrize("step", ["fetch", "prepare"])
def test_what_somebody_else_saved_meanwhile_is_kept(world: World, step: str) -> None:
    number = world.ask().number
    come = once(lambda: annotate(world, number))
    fetch(world.ctx, number, come if step == "fetch" else nothing)
    prepare(world.ctx, number, come)
    found = world.get(number)

    assert (found.state, found.assignee_id) == (State.SUPPLIED, world.librarian.id)
    assert found.delivery


def test_a_value_that_somebody_changed_since_is_not_kept(world: World) -> None:
    old = world.ask()
    annotate(world, old.number)
    with world.store.write() as work:
        changed = work.requests.change(old, replace(old, reason_text="late"))

    assert changed is None
    assert world.get(old.number).reason_text == ""
