"""What tests of the storage share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from storage.engine import open_engine
from storage.migrating import migrate
from tests.services.databases import BOTH


@pytest.fixture(params=BOTH)
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else f"sqlite:///{tmp_path / 'l.db'}"
    engine = open_engine(url)
    migrate(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()
