"""The tiles above the lowest level, which a log has from 65,536 events on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from admin.log_wiring import check_log
from admin.wiring import Services
from benchmarks.log import filled
from drm.audit.chain import LogVerdict

SIZE = 256 * 256 + 300


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A log with a full tile of level 1, whose tiles may be changed."""
    services = filled(tmp_path_factory.mktemp("long") / "home", SIZE)
    changed(services, "DROP TRIGGER audit_tiles_no_update", "DROP TRIGGER audit_tiles_no_delete")
    yield services
    services.engine.dispose()


def changed(services: Services, *statements: str) -> None:
    with services.engine.execution_options(rushlight_write=True).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def verdict(services: Services, processes: int = 1) -> LogVerdict:
    url = services.settings.database
    return check_log(services.store, services.audit_log, services.ctx.log.keys, (), processes, url)


def test_a_long_log_is_whole_whoever_checks_it(long_log: Services) -> None:
    assert verdict(long_log) == verdict(long_log, 2) == LogVerdict(True, SIZE)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit_tiles SET hashes = zeroblob(8192) WHERE level = 1", "tile 0 of level 1 is not that"),
        ("UPDATE audit_tiles SET root = zeroblob(32) WHERE level = 1", "tile 0 of level 1 is not that"),
        ("DELETE FROM audit_tiles WHERE level = 1", "tile 0 of level 1 is missing"),
        ("UPDATE audit_tiles SET number = 1 WHERE level = 1", "a tile 1 of level 1"),
        ("INSERT INTO audit_tiles SELECT 2, 0, hashes, root FROM audit_tiles WHERE level = 1", "a tile 0 of level 2"),
        ("UPDATE audit_tiles SET root = zeroblob(32) WHERE level = 0 AND number = 256", "tile 256 of level 0"),
    ],
)
def test_each_tile_that_is_kept_must_be_that_of_the_events(long_log: Services, change: str, told: str) -> None:
    changed(long_log, "CREATE TABLE aside AS SELECT * FROM audit_tiles", change)

    found = verdict(long_log)
    changed(long_log, "DELETE FROM audit_tiles", "INSERT INTO audit_tiles SELECT * FROM aside", "DROP TABLE aside")

    assert told in found.problem
