"""Whole copies by the tail engine: from a master that is there, or from a document prepared for this one copy."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drm.pdf.hashing import sha256_of
from drm.pdf.inspecting import inspect
from drm.pdf.names import normalise_name
from drm.pdf.notes import notes_of
from drm.pdf.plain_paths import writable
from drm.pdf.policy import FileFacts, Policy, choose_engine, facts_in
from drm.pdf.rewrite import make_copy
from drm.pdf.sandbox import one_job
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.light import check_tail
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.prepare import Wish, prepare, private_folder
from drm.pdf.tail.records import is_sound
from drm.pdf.tail.serving import materialise
from drm.pdf.tail.values import Master, Tail, master_from, master_to
from drm.pdf.values import CopyReport, CopySpec, Limits, PdfRefused
from drm.pdf.verifying import Expectation, verify
from drm.tokens import KeyRing

PIECE = 1024 * 1024
Engine = Callable[[Path, Path, CopySpec, Limits, str | None, str | None, Policy], CopyReport]
LARGEST_RECORD = 16 * 1024 * 1024
OWN_FAULTS = frozenset({"output-invalid", "stamp-missing", "active-content"})
"""Codes of checks that the engine's own work failed; the other engine may still pass them."""


def record_path(master: Path) -> Path:
    """Where the record of a master lies: beside it, with ``.json`` added."""
    return master.parent / f"{master.name}.json"


def write_record(master: Master, path: Path) -> None:
    """Write a master's record beside it, whole or not at all, readable by its owner only."""
    target = record_path(path)
    part = target.with_name(f".{secrets.token_hex(12)}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(master_to(master), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def read_record(path: Path) -> Master | None:
    """The record of a master, None where the file is no master: nothing beside it that could be its record counts.

    OSError where it cannot be read.
    """
    sidecar = record_path(path)
    if not sidecar.is_file() or sidecar.stat().st_size > LARGEST_RECORD:
        return None
    try:
        master = master_from(json.loads(sidecar.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return master if is_sound(master, path.stat().st_size) and master.id == sha256_of(path) else None


def copy_of_master(
    path: Path,
    master: Master,
    out: Path,
    spec: CopySpec,
    keys: MasterKeys,
    limits: Limits = Limits(),
    reader_password: str | None = None,
) -> CopyReport:
    """Write one verified copy of a master to ``out``; PdfRefused says why not, and then there is no new ``out``."""
    tail = personalise(master, spec, keys, reader_password)
    check_tail(master, tail)
    part = out.with_name(f".{secrets.token_hex(12)}.part")
    try:
        with writable(part) as target:
            materialise(path, tail, target)
        shown = tail.shown_name if tail.shown_name.startswith("[") else normalise_name(tail.shown_name)
        expect = Expectation(tail.pages, tail.delivery, shown, tail.encrypted)
        verdict = verify(part, expect, limits, reader_password)
        if not verdict.good:
            raise PdfRefused(verdict.code, verdict.text)
        digest = sha256_of(part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return replace(tail_report(master, tail, spec), sha256=digest)


def tail_report(master: Master, tail: Tail, spec: CopySpec) -> CopyReport:
    """The summary of a copy that is never written out: its ``sha256`` is what its entity tag holds, of master and tail."""
    return CopyReport(
        engine="tail",
        pages=tail.pages,
        bytes=tail.length,
        sha256=tail.etag.strip('"'),
        etag=tail.etag,
        encrypted=tail.encrypted,
        permissions={"print": spec.permissions.print, "copy_text": spec.permissions.copy_text},
        delivery=tail.delivery,
        removed=master.removed,
        repaired=master.repaired,
        shown_name=tail.shown_name,
        name_fallback=tail.name_fallback,
        overlap=tail.overlap,
        base_len=master.base_len,
        tail_len=len(tail.data),
        master_id=master.id,
        wm_version=master.wm_version,
        notes=notes_of(master.removed, master.repaired, name_fallback=tail.name_fallback, overlap=bool(tail.overlap)),
        engine_reason="engine-has-master",
    )


def copy_by_tail(
    source: Path,
    out: Path,
    spec: CopySpec,
    limits: Limits = Limits(),
    password: str | None = None,
    reader_password: str | None = None,
    policy: Policy = Policy(),
) -> CopyReport:
    """Prepare a document for one copy and write that, verified. Its master and keys are made for it and not kept."""
    keys = MasterKeys(KeyRing({"once": secrets.token_bytes(32)}))
    wish = Wish(spec, encrypted=spec.permissions.encrypt or bool(reader_password), policy=policy)
    with source.open("rb"):
        pass
    if not out.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", str(out.parent))
    with one_job(limits), private_folder(out) as folder:
        path = folder / "master"
        master = prepare(source, path, keys, wish, limits, password)
        return copy_of_master(path, master, out, spec, keys, limits, reader_password)


def copy_by_choice(
    source: Path,
    out: Path,
    spec: CopySpec,
    limits: Limits = Limits(),
    password: str | None = None,
    reader_password: str | None = None,
    policy: Policy = Policy(),
    facts: FileFacts | None = None,
    first: Engine = copy_by_tail,
) -> CopyReport:
    """One copy by the engine that the policy chooses by these facts, found out where needed; the report says which and why.

    Where nobody asked for an engine and the checks of the tail engine, ``first``, fail, the rewrite engine takes over. An
    engine that was asked for refuses with ``unsupported`` then. All of it together takes no more wall time than one child may.
    """
    with one_job(limits):
        return _by_choice(source, out, spec, limits, password, reader_password, policy, facts, first)


def _by_choice(
    source: Path,
    out: Path,
    spec: CopySpec,
    limits: Limits,
    password: str | None,
    reader_password: str | None,
    policy: Policy,
    facts: FileFacts | None,
    first: Engine,
) -> CopyReport:
    if facts is None and policy.engine == "auto" and policy.pdfa == "keep":
        facts = facts_in(inspect(source, limits, password))
    choice = choose_engine(facts or FileFacts(), policy)
    engine = first if choice.engine == "tail" else make_copy
    try:
        report = engine(source, out, spec, limits, password, reader_password, policy)
        return replace(report, engine_reason=choice.reason)
    except PdfRefused as refusal:
        if refusal.code not in OWN_FAULTS or (policy.engine == "auto" and choice.engine == "rewrite"):
            raise
        if policy.engine != "auto":
            text = f"The engine asked for cannot make this copy ({refusal.code}: {refusal.text})"
            raise PdfRefused("unsupported", text) from None
        reason = f"{refusal.code}: {refusal.text}"
    report = make_copy(source, out, spec, limits, password, reader_password, policy)
    return replace(report, fallback_reason=reason, engine_reason="engine-fell-back")
