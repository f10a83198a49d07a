"""Brings a backup of an embedded installation back, and lets the log go on after an older one was restored."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from admin.backing_up import WORK
from admin.settings import Settings, SettingsError
from admin.wiring import Services
from delivery.errors import Conflict, NotFound
from drm.audit.chain import verify_chain
from drm.audit.events import Event

DATABASE = "rushlight.db"
BESIDE = ("", "-wal", "-shm")


@dataclass(frozen=True)
class Restored:
    """What came back: how many files of blobs, and whether a newer head of the log was left in its place."""

    blobs: int
    head_kept: bool


def restore(settings: Settings, folder: Path, secrets: Path | None = None, replace: bool = False) -> Restored:
    """Put a backup in place. Stop the service first.

    A database that is there is only replaced when told so, and kept beside as ``.replaced``. Files of the store are added, never
    taken away. A newer head of the log stays: by it an older log is noticed. Conflict for other keys.
    """
    if settings.database_url and not settings.database_url.startswith("sqlite"):
        raise SettingsError("RUSHLIGHT_DATABASE_URL: this command restores SQLite only; use the database's own tools")
    source = folder / DATABASE
    if not source.is_file():
        raise NotFound("no-backup", f"{folder} holds no backup.")
    _whole(source)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _keys(settings.key_file, folder / "keys.json")
    if (folder / settings.log_key_file.name).exists():
        _keys(settings.log_key_file, folder / settings.log_key_file.name)
    _database(source, Path(settings.database.removeprefix("sqlite:///")), replace)
    if secrets is not None:
        _database(secrets, settings.secrets_file, True)
    return Restored(_blobs(settings, folder / "blobs"), _head(settings, folder / settings.head_file.name))


def accept_rollback(services: Services) -> tuple[int, int]:
    """Let the log go on although the head beside it knows more events; how many it knows, and how many there are.

    The old head is kept aside and the log tells of it. Conflict when the log is not older, or not whole in itself.
    """
    log = services.audit_log
    try:
        head = log.kept_head()
    except (OSError, ValueError, KeyError):
        place = services.settings.head_file
        raise Conflict("log-broken", f"{place} cannot be read. Keep it aside by hand; the log goes on then.") from None
    with services.store.read() as work:
        verdict = verify_chain(log.key, work.log.rows(), None)
    if not verdict.whole:
        raise Conflict("log-broken", f"The log is not whole in itself: {verdict.problem}. Nothing was changed.")
    if head is None or head.size <= verdict.size:
        raise Conflict("not-older", "The head beside the log knows no more events than there are. Nothing was changed.")
    path = services.settings.head_file
    aside = (path.with_name(f"{path.name}.{head.size}{again}") for again in ("", *(f".{at}" for at in range(2, 1000))))
    # A head that was kept aside before stays: each is a proof of its own.
    path.rename(next(place for place in aside if not place.exists()))
    with services.store.write() as work:
        counts = {"head": head.size, "log": verdict.size}
        work.record(Event("log:rolled_back", services.ctx.clock(), "operator", digest=head.chain.hex(), counts=counts))
    return head.size, verdict.size


def _whole(database: Path) -> None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            answer = str(error)
    if answer != "ok":
        raise Conflict("backup-damaged", f"{database} is damaged ({answer}). Nothing was changed.")


def _keys(target: Path, source: Path) -> None:
    if not target.exists():
        _put(source, target)
    elif target.read_bytes() != source.read_bytes():
        raise Conflict("other-keys", f"{target} holds other keys than the backup. Nothing was changed.")


def _database(source: Path, target: Path, replace: bool) -> None:
    if target.exists() and not replace:
        raise Conflict("already-there", f"{target} exists. Say --replace to put the backup in its place.")
    for end in BESIDE:
        old = target.with_name(target.name + end)
        if old.exists():
            old.replace(target.with_name(f"{target.name}.replaced{end}"))
    _put(source, target)


def _head(settings: Settings, source: Path) -> bool:
    if settings.head_file.exists():
        return True
    if source.exists():
        _put(source, settings.head_file)
    return False


def _blobs(settings: Settings, source: Path) -> int:
    brought = 0
    for path in sorted(source.rglob("*.pdf")):
        inside = path.relative_to(source)
        if inside.parts[0] != WORK and not (settings.blob_folder / inside).exists():
            _put(path, settings.blob_folder / inside)
            brought += 1
    return brought


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    os.chmod(part, 0o600)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
