"""Sixteen processes at six hot keys: nothing is issued too much, nothing leaks; the naive form beside it shows that the harness can see."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.quota_race import RaceResult, prepared, race
from tests.services.postgres import fresh_database

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
OPERATIONS = 100_000 if SOAK else 5_008
NAIVE = 1_600

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_600 if SOAK else 600)]


def raced(folder: Path, collection: Path, databases: tuple[str, str]) -> tuple[RaceResult, RaceResult]:
    """Our form and the naive one in the same run, each in an installation of its own; their rates stand in the report."""
    results = []
    for naive, database in zip((False, True), databases, strict=True):
        world = prepared(folder / f"naive-{naive}", collection, database)
        found = race(world, NAIVE if naive else OPERATIONS, 16, naive)
        assert world.ctx.check_log().whole
        world.services.engine.dispose()
        print(f"{'naive' if naive else 'ledger'}: {found}, {found.rate:.0f} operations a second")
        results.append(found)
    return results[0], results[1]


def holds(ledger: RaceResult, naive: RaceResult) -> None:
    """What every database has to show."""
    assert (ledger.over_issued, ledger.leaked) == (0, 0)
    assert ledger.operations == OPERATIONS
    assert ledger.issued > 300
    assert naive.over_issued > 0, "the harness is blind: it did not see the naive form issue too much"


def test_on_sqlite_nothing_is_issued_too_much_and_nothing_leaks(tmp_path: Path, collection: Path) -> None:
    holds(*raced(tmp_path, collection, ("", "")))


def test_on_postgresql_nothing_is_issued_too_much_and_nothing_leaks(
    postgres_server: str, tmp_path: Path, collection: Path
) -> None:
    with fresh_database(postgres_server) as one, fresh_database(postgres_server) as other:
        holds(*raced(tmp_path, collection, (one, other)))
