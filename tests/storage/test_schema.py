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


def test_a_schema_of_a_later_release_is_left_as_it_is(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine)
    with engine.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert migrate(engine) == "9999"
    engine.dispose()


@pytest.mark.parametrize("act", ["UPDATE audit_events SET kind = 'x'", "DELETE FROM audit_events"])
def test_the_database_itself_refuses_to_change_the_log(world: World, act: str) -> None:
    world.ask()

    with (
        world.services.engine.execution_options(rushlight_write=True).begin() as connection,
        pytest.raises(DatabaseError),
    ):
        connection.execute(text(act))


def test_readers_of_old_requests_move_into_their_own_table(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    migrate(engine, "0005")
    with engine.execution_options(rushlight_write=True).begin() as connection:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(
            text(
                "INSERT INTO libraries (id, name, name_zh, isil, country, tz, language, email, url, phone, group_id, agreements) "
                "VALUES ('l', 'L', '', '', 'IE', 'UTC', 'en', 'l@x', '', '', '', '[]')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO people (id, library_id, name, email, email_key, language, roles, standing, password, salt, "
                "reader_key, category, group_id, created_at) "
                "VALUES ('p', 'l', 'P', 'p@x', 'p@x', 'en', '[]', 'active', '', '00', 'k', '', '', '2026-01-01')"
            )
        )
        for number, reader in (("TR-1", "'p'"), ("TR-2", "NULL")):
            connection.execute(
                text(
                    "INSERT INTO requests (number, library_id, reader_id, reader_key, state, hold, typed, citation, title, purpose, "
                    "language, via, reason, reason_text, source_id, repeat_of, copy_no, approved, delivery, found, decision, "
                    f"created_at, changed_at, version) VALUES ('{number}', 'l', {reader}, 'k', 'expired', '', '{{}}', '{{}}', '', '', "
                    "'en', 'form', '', '', '', '', 1, '', '', '{}', '{}', '2026-01-01', '2026-01-01', 1)"
                )
            )

    migrate(engine)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM reader_links")).all() == [("TR-1", "p", "k")]
        assert connection.execute(text("SELECT DISTINCT reader_id, reader_key FROM requests")).all() == [(None, "")]
    engine.dispose()
