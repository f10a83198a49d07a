"""A rehearsal of bad days: an older database beside newer files, older files beside a newer database, a log that was rolled back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin.backing_up import back_up
from admin.cli import rushlight
from admin.restoring import restore
from admin.settings import Settings
from admin.wiring import build_services
from delivery.copies import CopyState
from delivery.errors import Conflict, NotFound
from delivery.services import downloading, expiring
from delivery.services.downloading import LinkState
from tests.faults.counts import RESTORES
from tests.fsck.planting import Used, age, make_used
from tests.world import World


@pytest.fixture
def used(tmp_path: Path, collection: Path) -> Iterator[Used]:
    made = make_used(tmp_path / "home", collection)
    made.world.clock.now = made.world.clock.now.replace(day=25)
    expiring.remove_files(made.world.ctx)
    back_up(made.services.settings, tmp_path / "backup", tmp_path / "secrets.db")
    yield made
    made.world.close()


def reopened(used: Used) -> Used:
    """The same installation after its database was replaced."""
    used.world.close()
    services = build_services(used.services.settings, clock=used.world.clock)
    ctx = replace(services.ctx, mailer=used.world.post)
    used.world = replace(used.world, services=services, ctx=ctx)
    return used


def run(used: Used, *words: str) -> tuple[int, str]:
    env = {"RUSHLIGHT_HOME": str(used.services.settings.home)}
    result = CliRunner().invoke(rushlight, list(words), env=env)
    return result.exit_code, result.output + str(result.exception or "")


def newer(world: World) -> str:
    number = world.ask(world.reader, doi="10.5555/lantern.2019.0003").number
    world.work()
    return number


def test_an_older_database_beside_newer_files_is_noticed_accepted_and_cleared(used: Used, tmp_path: Path) -> None:
    used.world.close()
    with pytest.raises(Conflict, match="--replace"):
        restore(used.services.settings, tmp_path / "backup")
    for turn in range(RESTORES.now):
        used = reopened(used)
        newer(used.world)
        files = set(used.blobs("masters")) | set(used.blobs("sources"))
        used.world.close()

        done = restore(used.services.settings, tmp_path / "backup", tmp_path / "secrets.db", replace=True)
        used = reopened(used)
        for path in files:
            age(path)

        assert done.head_kept
        assert used.codes(deep=True) == {"log-broken", "file-orphan"}
        assert run(used, "accept-rollback")[0] == 0
        assert used.codes(deep=True) == {"file-orphan"}
        code, said = run(used, "fsck", "--repair")
        assert code == 0, said
        assert used.found(deep=True) == []
        head = used.services.settings.head_file
        assert len(list(head.parent.glob(f"{head.name}.*"))) == turn + 1
        used.world.close()


def test_a_link_from_before_the_backup_opens_after_it_and_new_work_goes_on(used: Used, tmp_path: Path) -> None:
    token = used.world.ctx.links.sign(used.delivery(used.opened))
    data = used.world.copy(used.opened)
    used.world.close()
    log_keys = used.services.settings.log_key_file.read_bytes()
    shutil.rmtree(used.services.settings.home)

    restore(used.services.settings, tmp_path / "backup", tmp_path / "secrets.db")
    used = reopened(used)
    assert used.services.settings.log_key_file.read_bytes() == log_keys

    assert used.found(deep=True) == []
    assert downloading.look(used.world.ctx, token).state is LinkState.LIVE
    assert used.world.copy(used.opened) == data
    newer(used.world)
    assert used.found(deep=True) == []


def test_older_files_beside_a_newer_database_are_named_and_copies_made_anew_under_their_links(
    used: Used, tmp_path: Path
) -> None:
    number = newer(used.world)
    token = used.world.ctx.links.sign(used.delivery(number))
    for turn in range(RESTORES.now):
        lost = [path for path in used.blobs("masters") if not in_backup(path, tmp_path / "backup")]
        for path in lost:
            path.unlink()
        for path in used.blobs("copies"):  # those that are made anew are tails
            path.unlink()
        used.sql("DELETE FROM tails WHERE delivery = :one", one=used.delivery(used.opened))

        assert used.codes() == {"file-missing", "tail-missing"}
        code, said = run(used, "reissue")

        assert code == 0, said
        assert said.count("is made anew") == (2 if turn else 3)  # one of them is on a document of before by then
        assert lost
        assert used.found(deep=True) == []
        assert downloading.look(used.world.ctx, token).state is LinkState.LIVE
        assert used.world.copy(number).startswith(b"%PDF")


def in_backup(path: Path, backup: Path) -> bool:
    return (backup / "blobs" / "masters" / path.parent.name / path.name).exists()


def test_what_cannot_be_made_anew_is_withdrawn_given_back_and_told(used: Used) -> None:
    number = newer(used.world)
    for path in [*used.blobs("masters"), *used.blobs("sources")]:
        path.unlink()

    code, said = run(used, "reissue")
    assert f"{used.delivery(number)} stays as it is: blob-missing: " in said
    assert (code, used.world.delivery(number).state) == (1, CopyState.LIVE), said
    code, said = run(used, "reissue", "--withdraw")
    used.world.clock.now = datetime.now(UTC)  # the command went by the real clock
    used.world.work()

    assert code == 0, said
    assert used.world.delivery(number).state is CopyState.REVOKED
    assert "quota:refunded" in used.world.kinds(number)
    assert any("not pass a later check" in letter.text for letter in used.world.post.letters)
    assert used.codes() == set()


def test_what_a_store_in_trouble_keeps_from_being_made_anew_waits_for_the_next_time(used: Used) -> None:
    number = newer(used.world)
    for path in used.blobs("masters"):
        path.unlink()
    folders = {path.parent for path in used.blobs("sources")}
    for folder in folders:
        folder.rename(folder.with_suffix(".aside"))
        folder.touch()  # a disk that does not know what lies there

    code, said = run(used, "reissue", "--withdraw")

    assert code == 1, said
    assert f"{used.delivery(number)} stays as it is: blob-store: " in said
    assert "Run the command again" in said
    assert used.world.delivery(number).state is CopyState.LIVE
    assert "copy:revoked" not in used.world.kinds(number)
    for folder in folders:
        folder.unlink()
        folder.with_suffix(".aside").rename(folder)
    code, said = run(used, "reissue")
    assert (code, used.codes()) == (0, set()), said
    assert used.world.copy(number).startswith(b"%PDF")


def test_a_log_that_is_not_older_is_not_accepted_again(used: Used) -> None:
    code, said = run(used, "accept-rollback")

    assert (code != 0, "knows no more events" in said) == (True, True)


def test_a_backup_with_other_keys_or_a_damaged_database_changes_nothing(used: Used, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "backup", other)
    (other / "keys.json").write_text("{}")
    before = used.world.tables()
    with pytest.raises(Conflict, match="other keys"):
        restore(used.services.settings, other, replace=True)
    (other / "rushlight.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(Conflict, match="damaged"):
        restore(used.services.settings, other, replace=True)

    assert used.world.tables() == before


def test_a_folder_without_a_database_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        restore(Settings(home=tmp_path / "home", _env_file=None), tmp_path)


def test_a_file_that_ends_while_a_backup_runs_is_left_out_of_it(tmp_path: Path, collection: Path) -> None:
    used = make_used(tmp_path / "home", collection)
    settings = used.services.settings
    # It is listed, and is not there when its turn comes.
    used.blobs("copies")[0].with_name("ended.pdf").symlink_to(tmp_path / "nothing")

    back_up(settings, tmp_path / "backup")

    kept = {path.name for path in (tmp_path / "backup" / "blobs").rglob("*.pdf")}
    assert kept == {path.name for kind in ("copies", "masters", "sources") for path in used.blobs(kind)} - {"ended.pdf"}
    used.world.close()


def test_a_file_that_cannot_be_copied_for_another_reason_ends_the_backup(tmp_path: Path, collection: Path) -> None:
    used = make_used(tmp_path / "home", collection)
    used.blobs("copies")[0].with_name("folder.pdf").mkdir()

    with pytest.raises(IsADirectoryError):
        back_up(used.services.settings, tmp_path / "backup")

    assert not (tmp_path / "backup").exists()
    used.world.close()
