"""The log as static files: checkpoint, tiles and, if wanted, entries, for anybody to mirror and check."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from delivery.errors import Conflict, NotFound
from delivery.log_places import KeptCheckpoint
from delivery.services.context import Context
from delivery.services.log_tiles import cosigned, tile_bytes
from drm.audit.tiles import WIDTH, TileName, packed, tiles_of

ENTRIES_AT_ONCE = 16 * WIDTH


def export_log(ctx: Context, folder: Path, entries: bool) -> KeptCheckpoint:
    """Write the log up to its newest checkpoint into a new folder, whole or not at all; the checkpoint.

    Memory stays flat however long the log is. NotFound where nothing was signed yet, Conflict where the folder exists.
    """
    if folder.exists():
        raise Conflict("already-there", f"{folder} exists; name a folder that does not.")
    with ctx.store.read() as work:
        last = work.tree.last_checkpoint()
        if last is None:
            raise NotFound("no-checkpoint-yet", "No checkpoint covers this event yet; one is signed every minute.")
        note = cosigned(work, last)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for name, data in _tiles(ctx, last.size):
            _write(part / name.path, data)
        for name, data in _bundles(ctx, last.size) if entries else ():
            _write(part / name.path, data)
        _write(part / "keys", ctx.log.keys.published().encode())
        _write(part / "checkpoint", note)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return last


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        if path.name == "checkpoint":
            file.flush()
            os.fsync(file.fileno())


def _tiles(ctx: Context, size: int) -> Iterator[tuple[TileName, bytes]]:
    with ctx.store.read() as work:
        for name in tiles_of(size, entries=False):
            yield name, tile_bytes(work, name, size)


def _bundles(ctx: Context, size: int) -> Iterator[tuple[TileName, bytes]]:
    with ctx.store.read() as work:
        for first in range(0, size, ENTRIES_AT_ONCE):
            leaves = work.tree.leaves(first, min(ENTRIES_AT_ONCE, size - first))
            for at in range(0, len(leaves), WIDTH):
                piece = leaves[at : at + WIDTH]
                yield TileName(-1, (first + at) // WIDTH, len(piece)), packed(piece)
