"""An installation moves from SQLite and a folder to PostgreSQL and a bucket, and back, with everything in it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from admin.moving.exporting import export
from admin.moving.importing import bring_in, differences, prepare_keys
from admin.settings import Settings
from admin.starting import make_ready
from admin.wiring import Services, build_services
from delivery.errors import Conflict, NotFound
from delivery.lifecycle import State
from delivery.services import downloading
from delivery.services.downloading import LinkState
from storage.moving import DATA, SECRETS, filled, snapshot
from tests.fsck.planting import Used, make_used
from tests.services.postgres import fresh_database
from tests.services.s3 import S3Server
from tests.storage.test_blobs import bucket_of
from tests.world import World


@pytest.fixture
def used(tmp_path: Path, collection: Path) -> Iterator[Used]:
    made = make_used(tmp_path / "old", collection)
    yield made
    made.world.close()


@pytest.fixture
def production(postgres_server: str, s3: S3Server) -> Iterator[dict[str, str]]:
    """Settings of an empty PostgreSQL, an empty database of secrets and an empty place in a bucket."""
    bucket = bucket_of(s3)
    with fresh_database(postgres_server) as database, fresh_database(postgres_server) as secrets:
        yield {
            "database_url": database,
            "secrets_url": secrets,
            "blob_url": f"s3://{bucket.name}/{bucket.prefix}",
            "s3_endpoint": bucket.endpoint,
            "s3_access_key": bucket.access_key,
            "s3_secret_key": bucket.secret_key,
        }


def command(home: Path, settings: dict[str, str], *words: str) -> tuple[int, str]:
    """A command as an operator types it."""
    own = {f"RUSHLIGHT_{name.upper()}": value for name, value in {"home": str(home), **settings}.items()}
    line = [sys.executable, "-m", "admin.cli", *words]
    done = subprocess.run(line, env={**os.environ, **own}, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


def moved_world(used: Used, home: Path, settings: dict[str, str]) -> World:
    """The same people on the new services."""
    services = build_services(Settings(home=home, _env_file=None, **settings), clock=used.world.clock)  # type: ignore[arg-type]  # texts
    return replace(used.world, services=services, ctx=replace(services.ctx, mailer=used.world.post))


def as_it_was(used: Used, world: World, token: str, data: bytes) -> None:
    """The old link opens the old bytes, opens are counted on, limits count on, and new work is done."""
    view = downloading.look(world.ctx, token)
    assert view.state is LinkState.LIVE
    assert view.delivery is not None
    assert view.delivery.opens_used == 1
    assert world.copy(used.opened) == data
    downloading.open_window(world.ctx, token, view.nonce, world.reader)
    number = world.ask(doi="10.5555/lantern.2022.0002").number
    world.work()
    assert world.get(number).state is State.SUPPLIED
    assert [world.ask(doi="10.5555/lantern.2019.0003").state for _ in range(2)][-1] is State.REFUSED
    assert replace(used, world=world).found(deep=True) == []


@pytest.mark.timeout(400)
def test_all_of_it_goes_to_production_and_back_and_links_from_before_still_open(
    used: Used, tmp_path: Path, production: dict[str, str]
) -> None:
    token = used.world.ctx.links.sign(used.delivery(used.opened))
    data = used.world.copy(used.opened)
    old = used.services.settings.home

    assert command(old, {}, "export", str(tmp_path / "there"))[0] == 0
    code, said = command(tmp_path / "new", production, "import", str(tmp_path / "there"))
    assert code == 0, said
    assert "everything came over" in said
    assert (tmp_path / "new" / "log-keys.json").read_bytes() == (old / "log-keys.json").read_bytes()
    world = moved_world(used, tmp_path / "new", production)
    as_it_was(used, world, token, data)
    world.close()

    assert command(tmp_path / "new", production, "export", str(tmp_path / "back"))[0] == 0
    code, said = command(tmp_path / "home again", {}, "import", str(tmp_path / "back"))
    assert code == 0, said
    again = moved_world(used, tmp_path / "home again", {})
    assert again.copy(used.opened) == data
    assert downloading.look(again.ctx, token).state is LinkState.LIVE
    assert replace(used, world=again).found(deep=True) == []
    again.close()


Ready = Callable[[Path, Path], Services]


@pytest.fixture
def ready() -> Iterator[Ready]:
    """Makes an empty installation with the keys of an export."""
    made: list[Services] = []

    def make(home: Path, folder: Path) -> Services:
        settings = Settings(home=home, _env_file=None)
        prepare_keys(settings, folder)
        make_ready(settings)
        made.append(build_services(settings))
        return made[-1]

    yield make
    for services in made:
        services.engine.dispose()
        services.store.secrets.engine.dispose()


def rows(services: Services) -> tuple[str, ...]:
    with snapshot(services.engine) as one, snapshot(services.store.secrets.engine) as other:
        return (*filled(one, DATA), *filled(other, SECRETS))


def test_an_installation_that_holds_anything_is_left_as_it_is(used: Used, tmp_path: Path) -> None:
    export(used.services, tmp_path / "there")
    before = used.world.tables()

    code, said = command(used.services.settings.home, {}, "import", str(tmp_path / "there"))

    assert code == 3
    assert "not-empty" in said
    assert used.world.tables() == before


def test_a_file_that_nobody_exported_stops_the_import(used: Used, ready: Ready, tmp_path: Path) -> None:
    export(used.services, tmp_path / "there")
    services = ready(tmp_path / "new", tmp_path / "there")
    (tmp_path / "other").write_bytes(b"%PDF-1.7")
    services.ctx.blobs.put("copies/somebody-s.pdf", tmp_path / "other")

    with pytest.raises(Conflict, match="other files"):
        bring_in(services, tmp_path / "there", prepare_keys(services.settings, tmp_path / "there"), lambda said: None)

    assert rows(services) == ()


def test_an_import_that_is_broken_off_leaves_no_row_and_goes_on_later(used: Used, ready: Ready, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    export(used.services, folder)
    services = ready(tmp_path / "new", folder)
    manifest = prepare_keys(services.settings, folder)
    files = sorted((folder / "files").rglob("*.pdf"))
    files[-1].rename(tmp_path / "kept")
    with pytest.raises(Conflict, match="not what was exported"):
        bring_in(services, folder, manifest, lambda said: None)
    assert rows(services) == ()
    (tmp_path / "kept").rename(files[-1])
    said: list[str] = []

    bring_in(services, folder, manifest, lambda line: said.append(str(line)))

    assert f"1 of {len(files)} files were stored, the others were there" in said
    assert list(differences(services, folder, manifest)) == []


def test_an_export_that_was_changed_is_refused(used: Used, ready: Ready, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    export(used.services, folder)
    table = folder / "tables" / "ledger.jsonl.gz"
    table.write_bytes(gzip.compress(gzip.decompress(table.read_bytes()).replace(b"settle", b"refund")))
    services = ready(tmp_path / "new", folder)

    with pytest.raises(Conflict, match=r"ledger.jsonl.gz is not what was exported"):
        bring_in(services, folder, prepare_keys(services.settings, folder), lambda said: None)


def test_an_export_whose_packing_is_damaged_is_refused(used: Used, ready: Ready, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    export(used.services, folder)
    services = ready(tmp_path / "new", folder)
    table = folder / "tables" / "ledger.jsonl.gz"
    data = bytearray(table.read_bytes())
    data[data.index(0, 10) + 1] |= 6  # behind the name: a kind of block that there is not
    table.write_bytes(bytes(data))

    with pytest.raises(Conflict, match=r"ledger.jsonl.gz is not what was exported"):
        bring_in(services, folder, prepare_keys(services.settings, folder), lambda said: None)


@pytest.mark.parametrize("name", ["audit-head.json", "keys.json", "log-keys.json"])
@pytest.mark.parametrize("lost", [True, False])
def test_an_export_whose_head_or_keys_are_not_its_own_is_refused(
    used: Used, tmp_path: Path, name: str, lost: bool
) -> None:
    folder = tmp_path / "there"
    export(used.services, folder)
    (folder / name).unlink() if lost else (folder / name).write_bytes((folder / name).read_bytes() + b" ")

    with pytest.raises(Conflict, match=f"{name} is not what was exported"):
        prepare_keys(Settings(home=tmp_path / "new", _env_file=None), folder)

    assert not (tmp_path / "new").exists()


def test_an_export_of_a_release_that_told_nothing_of_its_keys_comes_over(
    used: Used, ready: Ready, tmp_path: Path
) -> None:
    folder = tmp_path / "there"
    export(used.services, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["beside"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    services = ready(tmp_path / "new", folder)

    bring_in(services, folder, prepare_keys(services.settings, folder), lambda said: None)

    assert list(differences(services, folder, prepare_keys(services.settings, folder))) == []


def test_what_differs_afterwards_is_named(used: Used, ready: Ready, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    export(used.services, folder)
    services = ready(tmp_path / "new", folder)
    manifest = prepare_keys(services.settings, folder)
    bring_in(services, folder, manifest, lambda said: None)
    own = replace(used, world=replace(used.world, services=services, ctx=services.ctx))
    own.sql("UPDATE requests SET title = 'another' WHERE number = :one", one=used.opened)
    own.blobs("copies")[0].write_bytes(b"%PDF-1.7")

    found = "\n".join(differences(services, folder, manifest))

    assert "table requests is not what was exported" in found
    assert "file copies/" in found


def test_an_export_needs_quiet_and_a_new_folder_and_leaves_nothing_when_it_fails(used: Used, tmp_path: Path) -> None:
    used.sql("UPDATE jobs SET state = 'running' WHERE id = 1")

    with pytest.raises(Conflict, match="Stop all web and worker processes"):
        export(used.services, tmp_path / "there")
    used.sql("UPDATE jobs SET state = 'done' WHERE id = 1")
    (tmp_path / "taken").mkdir()
    with pytest.raises(Conflict, match="exists"):
        export(used.services, tmp_path / "taken")

    assert [path.name for path in tmp_path.iterdir() if "there" in path.name] == []


def test_a_folder_without_a_manifest_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        prepare_keys(Settings(home=tmp_path / "new", _env_file=None), tmp_path)
