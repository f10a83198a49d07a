"""The schema, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from storage.engine import open_engine
from storage.migrating import differences, migrate
from tests.world import World


def test_the_newest_migration_equals_the_models(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine)

    assert differences(engine) == []
    engine.dispose()


def test_the_newest_migration_equals_the_models_on_postgresql(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)

    assert differences(engine) == []
    engine.dispose()


@pytest.mark.parametrize("act", ["UPDATE audit_events SET kind = 'x'", "DELETE FROM audit_events"])
def test_the_database_itself_refuses_to_change_the_log(world: World, act: str) -> None:
    world.ask()

    with (
        world.services.engine.execution_options(rushlight_write=True).begin() as connection,
        pytest.raises(DatabaseError),
    ):
        connection.execute(text(act))
