"""Checkpoints: origin, size and root of the log as a signed note (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from drm.audit.notes import PLAIN, BadNote, Note, Signer, Verifier, read_note
from drm.audit.tree import HASH_BYTES

LARGEST = 2**63 - 1
"""No log is larger: databases count no further."""
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """How large a log is and what its tree's root is then."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    def signed(self, signer: Signer) -> bytes:
        """The whole note with one signature."""
        return self.text + b"\n" + signer.line(self.text).encode()


@dataclass(frozen=True)
class SeenCheckpoint:
    """A checkpoint with its note and the known keys that signed it, each with its second (0 for the log's own)."""

    checkpoint: Checkpoint
    note: Note
    signers: dict[Verifier, int]


def number(text: str) -> int:
    """A decimal number without leading zeros, not beyond ``LARGEST``; BadNote for anything else."""
    if not NUMBER.fullmatch(text) or int(text) > LARGEST:
        raise BadNote(f"{text[:30]!r} is no number")
    return int(text)


def hash_from(text: str) -> bytes:
    """A hash in base64; BadNote for anything else."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        found = b""
    if len(found) != HASH_BYTES:
        raise BadNote("a hash cannot be read")
    return found


def read_checkpoint(note: Note) -> Checkpoint:
    """What a note says about a log; BadNote where it is no checkpoint. Extension lines are allowed and ignored."""
    lines = note.text.decode().split("\n")[:-1]
    if len(lines) < 3 or not all(lines):
        raise BadNote("this is no checkpoint")
    return Checkpoint(lines[0], number(lines[1]), hash_from(lines[2]))


def open_checkpoint(data: bytes, logs: Iterable[Verifier], witnesses: Iterable[Verifier] = ()) -> SeenCheckpoint:
    """A checkpoint that one of the log's own keys signed, under the log's name. BadNote says what is wrong."""
    note = read_note(data)
    checkpoint = read_checkpoint(note)
    known = [key for key in logs if key.name == checkpoint.origin and key.kind == PLAIN]
    signers = note.signed_by([*known, *witnesses])
    if not any(key in signers for key in known):
        raise BadNote(f"no known key of {checkpoint.origin} signed this checkpoint")
    return SeenCheckpoint(checkpoint, note, signers)
