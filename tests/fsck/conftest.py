"""A used installation, made once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fsck.planting import Used, copy_of, make_used


@pytest.fixture(scope="module")
def mother(tmp_path_factory: pytest.TempPathFactory, collection: Path) -> Iterator[Used]:
    """Made once; every test has a copy of it."""
    made = make_used(tmp_path_factory.mktemp("mother") / "home", collection)
    made.services.engine.dispose()
    yield made
    made.world.close()


@pytest.fixture
def used(mother: Used, tmp_path: Path) -> Iterator[Used]:
    """A used installation of its own for a test."""
    yield from copy_of(mother, tmp_path / "home")
