"""Sixteen processes at six hot keys: nothing is issued too much, nothing leaks; the naive form shows that the harness can see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.quota_race import prepared, race


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_sixteen_processes_issue_nothing_too_much_and_leak_nothing(tmp_path: Path, collection: Path) -> None:
    world = prepared(tmp_path / "home", collection, "")

    found = race(world, 2_496, 16)

    assert (found.over_issued, found.leaked) == (0, 0)
    assert found.issued > 100
    assert world.ctx.check_log().whole


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_harness_sees_what_a_naive_quota_issues_too_much(tmp_path: Path, collection: Path) -> None:
    world = prepared(tmp_path / "home", collection, "")

    assert race(world, 1_600, 16, naive=True).over_issued > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_on_postgresql_it_is_the_same(postgres_url: str, tmp_path: Path, collection: Path) -> None:
    world = prepared(tmp_path / "home", collection, postgres_url)

    found = race(world, 2_496, 16)

    assert (found.over_issued, found.leaked) == (0, 0)
    assert found.issued > 100
    world.services.engine.dispose()
