"""Tidying goes on: what fails or waits holds up nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from admin.sweeper import Sweeper
from delivery.errors import DeliveryError
from delivery.services import expiring, linking
from tests.world import World

SECOND = "10.5555/lantern.2022.0002"


def test_links_that_cannot_be_closed_keep_no_file(world: World) -> None:
    withdrawn = world.ask().number
    world.ask(world.other, doi=SECOND)
    world.work()
    copy = world.delivery(withdrawn)
    linking.revoke(world.ctx, world.librarian, copy.number, "A wrong file")
    world.clock.move(timedelta(days=60))
    with world.services.engine.execution_options(rushlight_write=True).begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE UPDATE ON deliveries WHEN NEW.state = 'expired'"
            " BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )

    with pytest.raises(DeliveryError):
        Sweeper(world.ctx, lambda job: None).round(31.0)

    with world.store.read() as work:
        assert work.deliveries.tail(copy.number) == b""


def test_copies_that_wait_for_their_windows_hold_up_no_others(world: World) -> None:
    numbers = [world.ask().number, world.ask(world.other, doi=SECOND).number]
    world.work()
    older, younger = sorted((world.delivery(number) for number in numbers), key=lambda one: one.number)
    with world.store.write() as work:
        work.deliveries.save(replace(older, issued_at=older.issued_at - timedelta(hours=1)))
    linking.revoke(world.ctx, world.librarian, younger.number, "A wrong file")
    world.clock.move(world.ctx.settings.window)
    linking.revoke(world.ctx, world.librarian, older.number, "A wrong file")

    with world.store.read() as work:
        [found] = work.deliveries.blobs_to_remove(world.clock() - world.ctx.settings.window, 1)
    assert found.number == younger.number
    assert expiring.remove_files(world.ctx) == 1
