"""Prepares a master: in one limited child, proved in another, published whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drm.pdf.comparing import may_differ
from drm.pdf.names import normalise_name
from drm.pdf.plain_paths import is_plain, readable
from drm.pdf.policy import Policy, policy_to
from drm.pdf.sandbox import one_job, run_limited
from drm.pdf.spec_json import spec_to
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.typical import typical_copy
from drm.pdf.tail.values import Master, Tail, master_from
from drm.pdf.values import CopySpec, Limits, PdfRefused

CANARY = "RL-CANARY-0001"


@dataclass(frozen=True)
class Wish:
    """How a master shall be made.

    ``typical`` is a copy as they will be: its fixed texts go into the master's fonts, its footer says how much room is
    looked for. A master serves many readers, so its reader should be nobody. ``per_page`` gives every page a stamp form
    of its own, for marks that differ from page to page. ``policy`` says what is done with special files.
    """

    typical: CopySpec | None = None
    encrypted: bool = True
    classic: bool = False
    per_page: bool = False
    policy: Policy = field(default_factory=Policy)


def prepare(
    source: Path,
    out: Path,
    keys: MasterKeys,
    wish: Wish = Wish(),
    limits: Limits = Limits(),
    password: str | None = None,
) -> Master:
    """Write the master of a document to ``out`` and return its record, with the file key wrapped.

    PdfRefused says why not; then there is no ``out``, or the earlier one. OSError where the source cannot be read or the
    folder not be written.
    """
    with source.open("rb"):
        size = source.stat().st_size
    if not out.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", str(out.parent))
    if size > limits.source_bytes:
        raise PdfRefused("too-large", f"The file has {size} bytes; at most {limits.source_bytes} are taken.")
    with one_job(limits), readable(source) as plain, private_folder(out) as folder:
        part = folder / "master"
        answer = _prepared(plain, folder, wish, limits, password)
        master = record_of(answer, keys)
        check_master(part, master, keys, wish, limits, (plain, password))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        shutil.move(part, out)
    return master


@contextmanager
def private_folder(out: Path) -> Iterator[Path]:
    """A folder of our own beside ``out``, or elsewhere where that has no name that the PDF libraries take."""
    beside = out.parent if is_plain(out.parent) else None
    with tempfile.TemporaryDirectory(prefix=".rushlight-", dir=beside) as folder:
        yield Path(folder).absolute()


def _prepared(
    source: Path, folder: Path, wish: Wish, limits: Limits, password: str | None
) -> Mapping[str, Any]:  # fmt: skip
    typical = typical_copy(wish.typical)
    arguments = {
        "path": str(source.absolute()),
        "out": str(folder.absolute() / "master"),
        "typical": spec_to(typical),
        "password": password or "",
        "encrypted": wish.encrypted,
        "classic": wish.classic or not wish.encrypted,
        "per_page": wish.per_page,
        "policy": policy_to(wish.policy),
        "source_bytes": source.stat().st_size,
    }
    answer = run_limited("prepare", arguments, limits)
    assert isinstance(answer, dict)
    return answer


def record_of(answer: Mapping[str, Any], keys: MasterKeys) -> Master:
    """The record of a master from a child's answer, with its file key wrapped."""
    content = dict(answer)
    file_key = bytes.fromhex(content.pop("file_key"))
    for kind in ("form", "font"):
        numbers = content.pop(f"{kind}_numbers")
        content[f"{kind}s"] = [
            {**one, "number": number} for one, number in zip(content[f"{kind}s"], numbers, strict=True)
        ]
    empty = {"secret": "", "user": "", "owner": ""}
    master = master_from({**empty, **content})
    return keys.seal(master, file_key, secrets.token_bytes(32)) if file_key else master


def canary(master: Master, wish: Wish, keys: MasterKeys) -> Tail:
    """A copy for nobody, to prove a master with."""
    typical = typical_copy(wish.typical)
    permissions = replace(typical.permissions, encrypt=master.encrypted)
    return personalise(master, replace(typical, delivery=CANARY, permissions=permissions), keys)


def check_master(
    part: Path, master: Master, keys: MasterKeys, wish: Wish, limits: Limits, source: tuple[Path, str | None]
) -> None:
    """Prove a master in a fresh child; PdfRefused with the first check that fails.

    The master alone must open nowhere, a canary copy must pass all checks of a copy, and without their stamps its pages
    must look like those of the source. Its tail is appended to the file for that and cut off again.
    """
    tail = canary(master, wish, keys)
    written = part.with_name("canary")
    written.write_bytes(tail.data)
    shown = tail.shown_name if tail.shown_name.startswith("[") else normalise_name(tail.shown_name)
    arguments = {
        "master": str(part.absolute()),
        "length": master.base_len,
        "tail": str(written.absolute()),
        "expect": {"pages": tail.pages, "delivery": CANARY, "names": [shown], "encrypted": master.encrypted},
        "file_key": keys.open(master).file_key.hex() if master.encrypted else "",
        "path": "" if may_differ(master.removed, master.repaired) else str(source[0].absolute()),
        "password": source[1],
        "source_bytes": master.base_len,
    }
    try:
        run_limited("prove-master", arguments, limits)
    finally:
        written.unlink()
        os.truncate(part, master.base_len)
