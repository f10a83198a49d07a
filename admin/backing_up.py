"""A consistent copy of an embedded installation, taken while it runs."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from admin.settings import Settings, SettingsError
from delivery.errors import Conflict

WORK = "work.tmp"


def back_up(settings: Settings, folder: Path, secrets: Path | None = None) -> int:
    """Copy everything into a new folder and return the number of files.

    The blobs are copied after the database, so each one that the copied database names is there, but for what ended while they
    were copied; a few more may be.
    The log's head is copied first: an older head never contradicts a newer log. The readers' secrets stay out of the folder:
    with ``secrets`` they go into that file, over the copy before, so that a forgotten reader's is in no older copy.
    """
    if settings.database_url and not settings.database_url.startswith("sqlite"):
        raise SettingsError("RUSHLIGHT_DATABASE_URL: this command copies SQLite only; use the database's own tools")
    if folder.exists():
        raise Conflict("already-there", f"{folder} exists; name a folder that does not.")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        kept = (settings.head_file, settings.key_file, settings.log_key_file)
        files = [_copy(path, part / path.name) for path in kept if path.exists()]
        files.append(_copy_database(settings.database, part / "rushlight.db"))
        if settings.blob_folder.exists():
            for source in sorted(settings.blob_folder.rglob("*.pdf")):
                inside = source.relative_to(settings.blob_folder)
                if inside.parts[0] != WORK and (copied := _copy_blob(source, part / "blobs" / inside)):
                    files.append(copied)
        if secrets is not None:
            files.append(_copy_secrets(settings, secrets))
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(files)


def _copy_blob(source: Path, target: Path) -> Path | None:
    """None for a file that ended since it was listed: nobody needs it. Whatever else goes wrong ends the backup."""
    try:
        return _copy(source, target)
    except FileNotFoundError:
        if source.exists() or not source.parent.is_dir() or not target.parent.is_dir():
            raise
        target.unlink(missing_ok=True)
        return None


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy2(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return target


def _copy_database(url: str, target: Path) -> Path:
    path = url.removeprefix("sqlite:///")
    # SQLite's own backup reads a running database consistently, the write-ahead log included.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def _copy_secrets(settings: Settings, target: Path) -> Path:
    if not settings.secrets.startswith("sqlite"):
        raise SettingsError("RUSHLIGHT_SECRETS_URL: this command copies SQLite only; use the database's own tools")
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    part = _copy_database(settings.secrets, part)
    return part.rename(target)
