"""Brings a database to the present schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from delivery.errors import Conflict
from storage.models import Base

FOLDER = Path(__file__).parent / "migrations"
MAY_NOT = "42501"
"""PostgreSQL's insufficient_privilege: not the owner, or without the right."""


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
    """Bring the database to the present schema, or up to an older revision, and return it. Does nothing when it is there already.

    A database that a later release has brought on is left as it is: the release before works with it, as after a roll-back.
    Conflict where it has to be brought on and this role may not.
    """
    wanted, found, config = to or head(), current(engine), _config()
    if found == wanted:
        return wanted
    if found is not None and not to and _is_later(found, config):
        return found
    with engine.execution_options(rushlight_write=True).connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, wanted)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != MAY_NOT:
                raise
            told = f"The database is at revision {found}, not {wanted}, and only its owner may change that"
            raise Conflict("other-revision", f"{told}: run deploy/schema.sh.") from error
        connection.commit()
    return wanted


def _is_later(revision: str, config: Config) -> bool:
    """Whether this code has never heard of a revision."""
    return revision not in {known.revision for known in ScriptDirectory.from_config(config).walk_revisions()}


def differences(engine: Engine) -> list[object]:
    """How the database's tables differ from the models; empty when they are equal."""
    with engine.connect() as connection:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
        )
