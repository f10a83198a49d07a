"""Proof files: that one entry stands in the log, checkable offline (C2SP tlog-proof)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drm.audit.checkpoints import SeenCheckpoint, hash_from, number, open_checkpoint
from drm.audit.notes import BadNote, Verifier
from drm.audit.tree import entry_hash, inclusion_holds

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63


@dataclass(frozen=True)
class Proof:
    """Where an entry stands, the hashes that lead to the root, and the signed checkpoint. ``extra`` proves nothing."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""


def write_proof(proof: Proof) -> bytes:
    """The proof as a file."""
    lines = [HEADER]
    if proof.extra:
        lines.append(f"extra {_text(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines.extend(_text(step) for step in proof.path)
    return "".join(f"{line}\n" for line in [*lines, ""]).encode() + proof.checkpoint


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read_proof(data: bytes) -> Proof:
    """A proof from its file; BadNote where it is none."""
    try:
        head, gap, checkpoint = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise BadNote("the proof is not UTF-8") from None
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER or not lines:
        raise BadNote("this is no proof of a log")
    extra = b""
    if lines[0].startswith("extra "):
        try:
            extra = base64.b64decode(lines.pop(0).removeprefix("extra "), validate=True)
        except ValueError:
            raise BadNote("the proof's extra data cannot be read") from None
    if not lines or not lines[0].startswith("index ") or len(lines) > 1 + MAX_PATH:
        raise BadNote("the proof names no index")
    index = number(lines[0].removeprefix("index "))
    return Proof(index, tuple(hash_from(line) for line in lines[1:]), checkpoint.encode(), extra)


def check_proof(
    proof: Proof, entry: bytes, logs: Iterable[Verifier], witnesses: Iterable[Verifier] = ()
) -> SeenCheckpoint:
    """That the entry stands in the log where the proof says. BadNote where it does not."""
    seen = open_checkpoint(proof.checkpoint, logs, witnesses)
    known = seen.checkpoint
    if not inclusion_holds(entry_hash(entry), proof.index, known.size, proof.path, known.root):
        raise BadNote(f"entry {proof.index} is not in this log of {known.size} entries")
    return seen


def path_lines(path: Sequence[bytes]) -> str:
    """Hashes as lines of base64."""
    return "".join(f"{_text(step)}\n" for step in path)
