"""Brings a database to the present schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from storage.models import Base

FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def head() -> str:
    """The revision that this code works with."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def current(engine: Engine) -> str | None:
    """The revision of a database; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine, to: str = "") -> str:
    """Bring the database to the present schema, or up to an older revision, and return it. Does nothing when it is there already."""
    wanted = to or head()
    if current(engine) == wanted:
        return wanted
    config = _config()
    with engine.execution_options(rushlight_write=True).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, wanted)
        connection.commit()
    return wanted


def differences(engine: Engine) -> list[object]:
    """How the database's tables differ from the models; empty when they are equal."""
    with engine.connect() as connection:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
        )
