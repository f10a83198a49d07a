"""The rewrite engine: a whole file for each copy, made and verified in limited children, published whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from pathlib import Path
from typing import Any

from drm.pdf.comparing import may_differ
from drm.pdf.names import normalise_name
from drm.pdf.notes import notes_of
from drm.pdf.plain_paths import readable, writable
from drm.pdf.policy import Policy, policy_to
from drm.pdf.sandbox import one_job, run_limited
from drm.pdf.spec_json import spec_to
from drm.pdf.values import CopyReport, CopySpec, Limits, PdfRefused
from drm.pdf.verifying import Expectation, Origin, verify

PIECE = 1024 * 1024


def make_copy(
    source: Path,
    out: Path,
    spec: CopySpec,
    limits: Limits = Limits(),
    password: str | None = None,
    reader_password: str | None = None,
    policy: Policy = Policy(),
) -> CopyReport:
    """Write one verified copy to ``out``. PdfRefused says why not; then there is no ``out``, or the earlier one.

    OSError where the source cannot be read or the folder not be written.
    """
    with source.open("rb"):
        size = source.stat().st_size
    if not out.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", str(out.parent))
    if size > limits.source_bytes:
        raise PdfRefused("too-large", f"The file has {size} bytes; at most {limits.source_bytes} are taken.")
    part = out.with_name(f".{secrets.token_hex(12)}.part")
    try:
        with one_job(limits), readable(source) as plain, writable(part) as target:
            done = _write(plain, target, spec, limits, password, reader_password, policy)
        digest, written = _durable(part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(out.parent)
    return CopyReport(
        engine="rewrite",
        pages=int(done["pages"]),
        bytes=written,
        sha256=digest,
        etag=f'"{digest}"',
        encrypted=bool(done["encrypted"]),
        permissions={"print": spec.permissions.print, "copy_text": spec.permissions.copy_text},
        delivery=spec.delivery,
        removed=tuple(done["removed"]),
        repaired=tuple(done["repaired"]),
        shown_name=str(done["shown_name"]),
        name_fallback=bool(done["name_fallback"]),
        overlap=tuple(int(page) for page in done["overlap"]),
        notes=notes_of(
            done["removed"], done["repaired"], name_fallback=done["name_fallback"], overlap=bool(done["overlap"])
        ),
    )


def _write(
    source: Path,
    target: Path,
    spec: CopySpec,
    limits: Limits,
    password: str | None,
    reader_password: str | None,
    policy: Policy,
) -> dict[str, Any]:
    """Make the copy in one child and check it in another."""
    arguments = {
        "path": str(source.absolute()),
        "out": str(target.absolute()),
        "spec": spec_to(spec),
        "password": password,
        "reader_password": reader_password,
        "source_bytes": source.stat().st_size,
        "policy": policy_to(policy),
    }
    done: dict[str, Any] = run_limited("copy", arguments, limits)
    shown = _extracted(str(done["shown_name"]))
    expect = Expectation(int(done["pages"]), spec.delivery, shown, bool(done["encrypted"]))
    origin = None if may_differ(done["removed"], done["repaired"]) else Origin(source, password)
    verdict = verify(target, expect, limits, reader_password, origin)
    if not verdict.good:
        raise PdfRefused(verdict.code, verdict.text)
    return done


def _extracted(shown: str) -> str:
    return shown if shown.startswith("[") else normalise_name(shown)


def _durable(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
