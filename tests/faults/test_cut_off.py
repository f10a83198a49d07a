"""The power goes while the database is written: its last bytes are missing, at any place. It opens, and what is there is whole."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from admin.fsck.examining import examine
from admin.settings import Settings
from admin.wiring import Services, build_services
from tests.faults.counts import CUTS, SOAK
from tests.fsck.planting import GRACE, Used, make_used
from tests.world import Clock

LAST = 3 * 4096 + 3 * 24
"""Bytes of the last three pages in the write-ahead log, with their heads."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200 if SOAK else 300)]


@dataclass(frozen=True)
class Cut:
    """What was found in an installation whose write-ahead log was cut off."""

    events: list[bytes]
    problem: str
    codes: set[str]


def opened(used: Used, home: Path) -> Services:
    return build_services(Settings(home=home, _env_file=None), clock=Clock(used.world.clock.now))


def events(services: Services) -> list[bytes]:
    with services.store.read() as work:
        return [row.leaf for row in work.log.rows()]


def cut(used: Used, home: Path, size: int, head: bool) -> Cut:
    """Copy the installation with only ``size`` bytes of its write-ahead log, and the log's head from before or after."""
    shutil.copytree(used.services.settings.home, home, ignore=shutil.ignore_patterns("*.db-shm"))
    with (home / "rushlight.db-wal").open("r+b") as wal:
        wal.truncate(size)
    if not head:
        (home / "audit-head.json").unlink()
    services = opened(used, home)
    with services.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    patience = replace(used.patience(), grace=GRACE)
    found = Cut(
        events(services),
        services.ctx.check_log().problem,
        {one.code for one in examine(services, patience, deep=True)},
    )
    services.engine.dispose()
    services.store.secrets.engine.dispose()
    shutil.rmtree(home)
    return found


def places(size: int) -> list[int]:
    """Where to cut: some of the last bytes, others each day; in the soak as many as there are."""
    chance = random.Random(datetime.now(UTC).toordinal())
    every = range(size - LAST, size)
    return sorted(chance.sample(every, min(CUTS.now, len(every))))


def test_a_database_cut_off_anywhere_opens_with_whole_transactions_and_the_log_says_where(
    tmp_path: Path, collection: Path
) -> None:
    used = make_used(tmp_path / "home", collection)
    with used.services.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    before = len(events(used.services))
    for _ in range(3):
        number = used.world.ask(used.world.other, doi="10.5555/lantern.2019.0003").number
    used.world.work()
    every = events(used.services)
    size = (tmp_path / "home" / "rushlight.db-wal").stat().st_size
    assert used.world.get(number).delivery
    assert size > 2 * LAST

    cuts = [cut(used, tmp_path / "cut", place, head=True) for place in places(size)]
    early = cut(used, tmp_path / "cut", size // 2, head=True)
    no_head = cut(used, tmp_path / "cut", size // 2, head=False)

    assert len(cuts) == min(CUTS.now, LAST)
    for found in [*cuts, early, no_head]:
        assert found.events == every[: len(found.events)]
        assert len(found.events) >= before
    for found in [*cuts, early]:
        lost = len(found.events) < len(every)
        assert found.codes <= ({"log-broken"} if lost else set())
        assert (f"ends at event {len(found.events)}" in found.problem) == lost
    assert before < len(early.events) < len(every)
    assert no_head.codes == set()


def test_a_torn_page_in_the_write_ahead_log_ends_it_there(tmp_path: Path, collection: Path) -> None:
    used = make_used(tmp_path / "home", collection)
    every = events(used.services)
    wal = tmp_path / "home" / "rushlight.db-wal"
    data = bytearray(wal.read_bytes())
    data[-2048:] = bytes(2048)
    shutil.copytree(tmp_path / "home", tmp_path / "torn", ignore=shutil.ignore_patterns("*.db-shm"))
    (tmp_path / "torn" / "rushlight.db-wal").write_bytes(data)

    services = opened(used, tmp_path / "torn")

    with services.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    assert events(services) == every[: len(events(services))]
    assert {one.code for one in examine(services, used.patience())} <= {"log-broken"}
    services.engine.dispose()
    services.store.secrets.engine.dispose()


@pytest.mark.parametrize("kept", [0, 1, 20, -1])
def test_a_head_file_cut_off_anywhere_is_named_and_stops_nothing(tmp_path: Path, collection: Path, kept: int) -> None:
    used = make_used(tmp_path / "home", collection)
    head = used.services.settings.head_file
    head.write_bytes(head.read_bytes()[:kept])

    assert used.codes() == {"log-broken"}
    number = used.world.ask(used.world.other, doi="10.5555/lantern.2019.0003").number
    used.world.work()

    assert used.world.get(number).delivery
