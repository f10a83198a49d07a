"""Writes a whole installation into a folder: rows of one moment first, then every file that the store holds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from admin.fsck.files import OURS
from admin.moving.folder import FILES, HEAD, KEYS, LOG_KEYS, Lines, Manifest, Part, table_file
from admin.wiring import Services
from delivery.errors import Conflict
from storage import moving
from storage.blobs.errors import BlobMissing
from storage.migrating import current, head
from storage.moving import DATA, SECRETS, MetaData


def export(services: Services, folder: Path) -> Manifest:
    """Write everything into a new folder, whole or not at all; what it holds. Conflict where that cannot be.

    The folder holds the keys and the readers' secrets: who has it has everything.
    """
    if folder.exists():
        raise Conflict("already-there", f"{folder} exists; name a folder that does not.")
    if current(services.engine) != head():
        raise Conflict("other-revision", "The database is at another revision. Run 'rushlight migrate' first.")
    with services.store.read() as work:
        if any(line.state == "running" for line in work.jobs.lines(services.ctx.clock())):
            raise Conflict("still-running", "Jobs are running. Stop all web and worker processes first.")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        manifest = _write(services, part)
        manifest.write(part)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _write(services: Services, part: Path) -> Manifest:
    beside: dict[str, str] = {}
    manifest = Manifest(head(), beside=beside)
    settings = services.settings
    for source, name in ((settings.key_file, KEYS), (settings.log_key_file, LOG_KEYS), (settings.head_file, HEAD)):
        if source.exists():
            shutil.copy2(source, part / name)
            os.chmod(part / name, 0o600)
            beside[name] = hashlib.sha256((part / name).read_bytes()).hexdigest()
    with moving.snapshot(services.engine) as connection:
        for name in moving.tables(DATA):
            manifest.tables[name] = _table(connection, DATA, name, table_file(part, "tables", name))
    manifest.events = manifest.tables["audit_events"].rows
    services.store.secrets.check()
    with moving.snapshot(services.store.secrets.engine) as connection:
        for name in moving.tables(SECRETS):
            manifest.secrets[name] = _table(connection, SECRETS, name, table_file(part, "secrets", name))
    manifest.files, manifest.files_sha256 = _files(services, part)
    return manifest


def _table(connection: moving.Connection, metadata: MetaData, name: str, path: Path) -> Part:
    written = Lines(path)
    for line in moving.lines(connection, metadata, name):
        written.add(line)
    return Part(moving.columns(metadata, name), written.rows, written.close())


def _files(services: Services, part: Path) -> tuple[int, str]:
    """Copy every file; their names, digests and lengths go into a list of their own."""
    listed = Lines(part / f"{FILES}.gz")
    for stored in services.ctx.blobs.listed():
        if OURS.match(stored.name):
            try:
                digest, size = _copy(services, stored.name, part / "files" / stored.name)
            except BlobMissing:
                continue  # it ended while we came to it
            listed.add(json.dumps([stored.name, digest, size]).encode() + b"\n")
    return listed.rows, listed.close()


def _copy(services: Services, name: str, target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    pieces = services.ctx.blobs.open(name)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("xb") as file:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size
