"""A new release: every process is restarted in turn, the schema and the keys move on, and no download or request is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from admin.keys import add_key, announce_key, read_keys
from drm.tokens import LinkSigner
from storage.migrating import migrate
from tests.faults.counts import ROLLS
from tests.faults.installation import many_articles
from tests.faults.rolling import Fleet, Flow, large_article
from tests.flows.test_pages import bearer
from tests.flows.test_production import all_supplied, mails
from tests.services.production import Production, production
from tests.services.s3 import S3Server
from tests.services.smtp import Mailbox
from tests.serving.shop import open_window

pytestmark = [pytest.mark.soak, pytest.mark.timeout(20_000)]
WEBS, WORKERS = ("web1", "web2"), ("worker1", "worker2")
ARTICLES = 3_000
SIZE = 20_000_000


def large_copy(installed: Production, collection: Path, folder: Path) -> tuple[str, str, bytes]:
    """A large copy behind an open window: its number, path and bytes. Every article of the source is there to be asked for."""
    world = installed.world
    held = many_articles(collection, folder, ARTICLES)
    large_article(held, SIZE)
    with world.store.write() as work:
        work.sources.save(replace(work.sources.get("collection"), settings={"folder": str(held)}))
    number = world.ask(doi="10.5555/large").number
    world.work()
    data = world.copy(number)
    assert len(data) > 0.9 * SIZE
    delivery = world.delivery(number).number
    return delivery, open_window(world, delivery), data


@contextmanager
def fleet_of(installed: Production) -> Iterator[Fleet]:
    """Two web and two worker processes."""
    fleet = Fleet(installed)
    try:
        for name in (*WORKERS, *WEBS):
            fleet.start(name)
        yield fleet
    finally:
        fleet.close()


@contextmanager
def flowing(fleet: Fleet, path: str, data: bytes) -> Iterator[Flow]:
    """Three slow readers and one who asks, until the end of the block."""
    flow = Flow(fleet, WEBS, bearer(fleet.installed.world), path, data, readers=3, articles=ARTICLES)
    try:
        yield flow
    finally:
        flow.close()


def schema_of_a_later_release(installed: Production) -> None:
    """As an upgrade would bring it, while all processes work: columns, an index, and a revision that they have never heard of."""
    with installed.world.services.engine.begin() as connection:
        for table in ("requests", "deliveries", "jobs", "people", "audit_events"):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN later text NOT NULL DEFAULT ''")
        connection.exec_driver_sql("CREATE INDEX later ON requests (later)")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert migrate(installed.world.services.engine) == "9999"


def opens_everywhere(installed: Production, key_file: Path, delivery: str) -> list[int]:
    """What every web process answers to a link that the newest keys have signed."""
    link = f"/d/{LinkSigner(read_keys(key_file).ring).sign(delivery)}"
    return [
        httpx.get(f"{installed.address(web)}{link}", headers={"Host": "127.0.0.1"}, timeout=30, trust_env=False).status_code
        for web in WEBS
    ]  # fmt: skip


def restart_all(fleet: Fleet, flow: Flow, turn: int, delivery: str) -> None:
    """Bring the newest keys to one process after the other and restart it; each knows what the others sign meanwhile."""
    keys = fleet.installed.world.services.settings.key_file
    (announce_key if turn % 2 else add_key)(keys)
    for name in (*WORKERS, *WEBS):
        if name in WEBS:
            flow.wait_for_download(name)
        shutil.copy2(keys, fleet.installed.folder / name / keys.name)
        fleet.restart(name)
        assert opens_everywhere(fleet.installed, keys, delivery) == [200, 200]


def test_nothing_is_lost_while_every_process_is_restarted_under_new_keys_and_a_later_schema(
    tmp_path: Path, collection: Path, postgres_server: str, rabbitmq_url: str, s3: S3Server, smtp: Mailbox
) -> None:
    with production(tmp_path / "all", collection, postgres_server, rabbitmq_url, s3, smtp) as installed:
        delivery, path, data = large_copy(installed, collection, tmp_path / "many")
        announce_key(installed.world.services.settings.key_file)
        with fleet_of(installed) as fleet:
            with flowing(fleet, path, data) as flow:
                for turn in range(ROLLS.now):
                    restart_all(fleet, flow, turn, delivery)
                    if turn == 0:
                        schema_of_a_later_release(installed)
            assert all_supplied(installed, flow.numbers)
            arrived = mails(smtp, len(flow.numbers))
        checked = installed.command("fsck", "--deep")

    stops = sum(fleet.stopped.values())
    print(f"{stops} restarts, {flow.whole} downloads, {flow.across} across a restart, {len(flow.numbers)} requests")
    assert flow.broken == []
    assert flow.across >= 2 * ROLLS.now
    assert len(flow.numbers) > stops
    assert len(arrived) == len(flow.numbers)
    assert checked.returncode == 0, checked.stdout
