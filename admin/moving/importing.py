"""Reads a folder into an installation that holds nothing yet, and proves that everything came over."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from admin.fsck.examining import examine, is_notice, patience_of
from admin.fsck.files import OURS, digest_of_file
from admin.keys import read_keys
from admin.moving.folder import (
    FILES,
    HEAD,
    KEYS,
    LOG_KEYS,
    Manifest,
    Part,
    digest_of_lines,
    read_lines,
    read_manifest,
    table_file,
)
from admin.settings import Settings
from admin.wiring import Services
from delivery.errors import Conflict
from drm.audit.events import Event
from storage import moving
from storage.migrating import head
from storage.moving import DATA, SECRETS, Connection, MetaData

GRACE = timedelta(hours=24)
WHILE_STOPPED = frozenset({"job-waits", "lease-stale", "link-outlived", "file-outlived", "request-overdue"})
"""What becomes due while nothing runs, and is done as soon as something does."""
Say = Callable[[str], object]


def prepare_keys(settings: Settings, folder: Path) -> Manifest:
    """Check the folder, and put its keys in place; Conflict when other keys are there."""
    manifest = read_manifest(folder)
    _check_beside(folder, manifest)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _put_keys(folder / KEYS, settings.key_file)
    if (folder / LOG_KEYS).exists():
        _put_keys(folder / LOG_KEYS, settings.log_key_file)
    read_keys(settings.key_file)
    return manifest


def _check_beside(folder: Path, manifest: Manifest) -> None:
    """Keys and head are what was exported, none lacks and none was added; an older release's manifest does not tell."""
    if manifest.beside is None:
        return
    for name in (KEYS, LOG_KEYS, HEAD):
        path = folder / name
        if (_digest(path) if path.is_file() else None) != manifest.beside.get(name):
            raise Conflict("export-damaged", f"{path} is not what was exported. Export again.")


def _put_keys(source: Path, target: Path) -> None:
    wanted = source.read_bytes()
    if target.exists():
        if target.read_bytes() != wanted:
            raise Conflict(
                "other-keys", f"{target} holds other keys: what was signed before could no longer be checked."
            )
        return
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(wanted)
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)


def bring_in(services: Services, folder: Path, manifest: Manifest, say: Say) -> None:
    """Put everything in place: files and secrets, which may be put twice, and then all rows in one transaction.

    Broken off before that transaction ends it leaves no row behind, and may be begun again. Conflict when the target holds
    anything else than a part of this very export, or when the folder is not what its manifest says.
    """
    if manifest.revision != head():
        raise Conflict("other-revision", f"The export is of revision {manifest.revision}; this version has {head()}.")
    _check_folder(folder, manifest)
    say("the folder is whole")
    _must_be_empty(services, folder)
    _bring_files(services, folder, manifest, say)
    moving.make_secret_tables(services.store.secrets.engine)
    with moving.writing(services.store.secrets.engine) as connection:
        for name in moving.filled(connection, SECRETS):
            connection.execute(SECRETS.tables[name].delete())
        _bring_rows(connection, SECRETS, manifest.secrets, folder, "secrets")
    with moving.writing(services.engine) as connection:
        moving.clear_head(connection)
        _bring_rows(connection, DATA, manifest.tables, folder, "tables")
        moving.continue_numbering(connection, DATA)
    if (folder / HEAD).exists():
        shutil.copy2(folder / HEAD, services.settings.head_file)
    say(f"{sum(part.rows for part in manifest.tables.values())} rows are in the database")


def differences(services: Services, folder: Path, manifest: Manifest) -> Iterator[str]:
    """What is not as it was: tables by their digests, files by theirs, the log, and everything that fsck checks."""
    for engine, metadata, parts in (
        (services.engine, DATA, manifest.tables),
        (services.store.secrets.engine, SECRETS, manifest.secrets),
    ):
        with moving.snapshot(engine) as connection:
            for name, part in parts.items():
                if digest_of_lines(moving.lines(connection, metadata, name)) != (part.rows, part.sha256):
                    yield f"table {name} is not what was exported"
    for name, digest, _ in _files_of(folder):
        if digest_of_file(services, name) != digest:
            yield f"file {name} is not what was exported"
    for found in examine(services, patience_of(services, GRACE)):
        if not is_notice(found) and found.code not in WHILE_STOPPED:
            yield f"{found.code}: {found.named} {found.detail}"


def note(services: Services, manifest: Manifest) -> None:
    """Tell the log that the data has moved."""
    with services.store.write() as work:
        counts = {"events": manifest.events, "files": manifest.files}
        work.record(Event("data:moved", services.ctx.clock(), "operator", counts=counts))


def _check_folder(folder: Path, manifest: Manifest) -> None:
    parts = [(table_file(folder, "tables", name), part) for name, part in manifest.tables.items()]
    parts += [(table_file(folder, "secrets", name), part) for name, part in manifest.secrets.items()]
    parts.append((folder / f"{FILES}.gz", Part((), manifest.files, manifest.files_sha256)))
    for path, part in parts:
        try:
            good = digest_of_lines(read_lines(path)) == (part.rows, part.sha256)
        except (OSError, EOFError, zlib.error):
            good = False
        if not good:
            raise Conflict("export-damaged", f"{path} is not what was exported. Export again.")


def _files_of(folder: Path) -> Iterator[tuple[str, str, int]]:
    for line in read_lines(folder / f"{FILES}.gz"):
        name, digest, size = json.loads(line)
        yield name, digest, size


def _must_be_empty(services: Services, folder: Path) -> None:
    with moving.snapshot(services.engine) as connection:
        if held := moving.filled(connection, DATA):
            raise Conflict(
                "not-empty", f"The database holds data already ({', '.join(held[:3])}). Nothing was changed."
            )
    services.store.secrets.check()
    known = {json.loads(line)[0] for line in read_lines(table_file(folder, "secrets", "reader_secrets"))}
    with moving.snapshot(services.store.secrets.engine) as connection:
        if moving.keys_of(connection, SECRETS, "reader_secrets") - known:
            raise Conflict("not-empty", "The database of secrets holds others already. Nothing was changed.")
    ours = {name for name, _, _ in _files_of(folder)}
    for stored in services.ctx.blobs.listed():
        if OURS.match(stored.name) and stored.name not in ours:
            raise Conflict(
                "not-empty", f"The blob store holds other files already ({stored.name}). Nothing was changed."
            )


def _bring_files(services: Services, folder: Path, manifest: Manifest, say: Say) -> None:
    """Store every file; one that an import before has stored whole is not stored again."""
    there = {stored.name: stored.bytes for stored in services.ctx.blobs.listed()}
    brought = 0
    for name, digest, size in _files_of(folder):
        if there.get(name) == size and digest_of_file(services, name) == digest:
            continue
        source = folder / "files" / name
        if not source.is_file() or _digest(source) != digest:
            raise Conflict("export-damaged", f"{source} is not what was exported. Export again.")
        services.ctx.blobs.put(name, source)
        brought += 1
    say(f"{brought} of {manifest.files} files were stored, the others were there")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bring_rows(connection: Connection, metadata: MetaData, parts: Mapping[str, Part], folder: Path, kind: str) -> None:
    for name in moving.tables(metadata):
        part = parts.get(name)
        if part is None or part.columns != moving.columns(metadata, name):
            raise Conflict("other-revision", f"The export knows another table {name} than this version.")
        if moving.insert_lines(connection, metadata, name, read_lines(table_file(folder, kind, name))) != part.rows:
            raise Conflict("export-damaged", f"Table {name} has not as many rows as were exported.")
