"""A generated history is one that the product accepts: its log verifies and goes on, its pages open, its counts agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.scale.fill import fill
from benchmarks.scale.pages import Site
from delivery.lifecycle import State
from storage.models import DeliveryRow, EventRow, LedgerRow, UsageRow
from tests.services.databases import BOTH
from tests.world import make_world


@pytest.mark.parametrize("database", BOTH)
def test_a_generated_history_verifies_and_goes_on(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, collection: Path
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    world = make_world(tmp_path / "home", collection, url)
    filled = fill(world, 500)
    number = world.ask(world.other).number
    world.work()

    with world.services.engine.connect() as connection:
        counted = [
            connection.scalar(select(func.count()).select_from(row)) for row in (DeliveryRow, UsageRow, LedgerRow)
        ]
        events = connection.scalar(select(func.max(EventRow.seq)))
    assert world.get(number).state is State.SUPPLIED
    assert counted == [502, 502, 1004]
    assert events is not None
    assert events > filled.events >= 6 * 500
    assert world.ctx.check_log().whole
    world.close()


def test_every_page_that_is_timed_opens_on_a_generated_history(tmp_path: Path, collection: Path) -> None:
    world = make_world(tmp_path / "home", collection)
    fill(world, 800)
    for name, work in Site.of(world, 800).works().items():
        work()
        assert name
    assert world.ctx.check_log().whole
    world.close()
