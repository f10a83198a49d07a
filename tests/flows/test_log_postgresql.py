"""The log on PostgreSQL: the service's own role may add and read, and nothing else."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, ProgrammingError

from admin.log_wiring import check_log
from delivery.errors import Conflict
from delivery.lifecycle import State
from storage.engine import open_engine
from storage.migrating import migrate
from tests.flows.test_log import events, execute, sign
from tests.world import World, make_world

ROLE_FILE = Path(__file__).parents[2] / "deploy" / "postgres-role.sql"
KEPT = ("audit_events", "audit_tiles", "audit_checkpoints", "audit_cosignatures")


@pytest.fixture
def role(postgres_server: str, postgres_url: str) -> Iterator[str]:
    """The URL of a migrated database as the service's role has it, made by the file that operators run."""
    engine = open_engine(postgres_url)
    migrate(engine)
    engine.dispose()
    url, name = make_url(postgres_url), f"service_{secrets.token_hex(4)}"
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    variables = {"database": url.database, "owner": url.username, "service": name}
    given = [f"--set={key}={value}" for key, value in variables.items()]
    subprocess.run(["psql", "-q", *given, "-f", str(ROLE_FILE), plain], check=True, capture_output=True)
    yield url.set(username=name).render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}".encode())
        connection.execute(f"DROP ROLE {name}".encode())


@pytest.fixture
def limited(role: str, tmp_path: Path, collection: Path) -> Iterator[World]:
    made = make_world(tmp_path / "home", collection, role)
    yield made
    made.close()


def test_the_service_works_and_signs_under_its_own_role(limited: World) -> None:
    number = limited.ask().number
    limited.work()
    events(limited, 300)
    sign(limited)

    assert limited.get(number).state is State.SUPPLIED
    assert limited.ctx.check_log().whole
    log, url = limited.ctx.log, limited.services.settings.database
    assert check_log(limited.store, limited.services.audit_log, log.keys, (), 2, url).whole


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize(
    "act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}", "ALTER TABLE {0} DISABLE TRIGGER ALL"]
)
def test_the_services_role_may_not_change_the_log(limited: World, table: str, act: str) -> None:
    column = {"audit_events": "seq", "audit_tiles": "number"}.get(table, "size")

    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        execute(limited, act.format(table, column))


def test_the_services_role_may_not_take_its_fetters_off(limited: World) -> None:
    for act in (
        "DROP TRIGGER audit_events_guard ON audit_events",
        "CREATE TABLE mine (x int)",
        "DELETE FROM audit_head",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            execute(limited, act)


def test_the_services_role_is_told_who_brings_the_schema_on(role: str, postgres_url: str) -> None:
    owner, service = open_engine(postgres_url), open_engine(role)
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0023'"))

    with pytest.raises(Conflict, match=r"only its owner .* deploy/schema\.sh"):
        migrate(service)
    owner.dispose()
    service.dispose()


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("act", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_even_the_owner_is_refused_by_the_triggers(postgres_url: str, table: str, act: str) -> None:
    engine = open_engine(postgres_url)
    migrate(engine)
    column = {"audit_events": "seq", "audit_tiles": "number"}.get(table, "size")

    with engine.begin() as connection, pytest.raises(DatabaseError, match=r"only added to|append-only|never"):
        connection.execute(text(act.format(table, column)))
    engine.dispose()
