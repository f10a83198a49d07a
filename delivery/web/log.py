"""The audit log for everybody: checkpoint, tiles and keys (C2SP tlog-tiles), and our ear as a witness (C2SP tlog-witness)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from delivery.errors import NotFound
from delivery.services.log_tiles import tile_bytes
from delivery.services.witnessing import add_checkpoint, newest_checkpoint
from delivery.web.shell.shell import site
from drm.audit.checkpoints import read_checkpoint
from drm.audit.notes import read_note
from drm.audit.tiles import tile_named
from drm.audit.witnessing import MAX_REQUEST, Answer

blueprint = Blueprint("log", __name__, url_prefix="/log")
TEXT = "text/plain; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"


def _plain(text: str | bytes, status: int = 200, kind: str = TEXT, cache: str = "no-store") -> Response:
    return Response(text, status, {"Content-Type": kind, "Cache-Control": cache})


@blueprint.get("/checkpoint")
def checkpoint() -> Response:
    """The newest checkpoint with its cosignatures."""
    ctx, _ = site()
    try:
        return _plain(newest_checkpoint(ctx), cache="public, max-age=5")
    except NotFound as error:
        return _plain(f"{error.text}\n", 404)


@blueprint.get("/keys")
def keys() -> Response:
    """Our public keys with their dates."""
    ctx, _ = site()
    return _plain(ctx.log.keys.published(), cache="public, max-age=300")


@blueprint.get("/tile/<path:name>")
def tile(name: str) -> Response:
    """A tile that the newest checkpoint needs, or an older one did. Entries only where the settings say so."""
    ctx, _ = site()
    wanted = tile_named(f"tile/{name}")
    if wanted is None or (wanted.level < 0 and not ctx.log.public_entries):
        return _plain("There is no such part of the log.\n", 404)
    try:
        # What no checkpoint covers yet is nobody's business: it might still be lost with the machine.
        size = read_checkpoint(read_note(newest_checkpoint(ctx))).size
        with ctx.store.read() as work:
            data = tile_bytes(work, wanted, size)
    except NotFound as error:
        return _plain(f"{error.text}\n", 404)
    return _plain(data, kind="application/octet-stream", cache=FOR_EVER)


@blueprint.post("/add-checkpoint")
def witness() -> Response:
    """Another log asks us to witness its checkpoint."""
    ctx, _ = site()
    body = request.get_data(cache=False) if (request.content_length or 0) <= MAX_REQUEST else b""
    if not body:
        return _plain("this is no request for a cosignature\n", Answer.MALFORMED.value)
    status, kind, text = add_checkpoint(ctx, body)
    return _plain(text, status, TEXT if kind == "text/plain" else kind)
