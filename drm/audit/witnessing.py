"""What a witness is asked, and what it answers (C2SP tlog-witness)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from drm.audit.checkpoints import Checkpoint, hash_from, number, open_checkpoint, read_checkpoint
from drm.audit.notes import BadNote, Verifier, read_note, signature_lines
from drm.audit.proofs import path_lines
from drm.audit.tree import EMPTY, consistency_holds

MAX_PATH = 63
MAX_REQUEST = 128 * 1024
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True)
class Submission:
    """A new checkpoint for a witness: the size that it saw last, the way from there, and the signed note."""

    old: int
    path: tuple[bytes, ...]
    note: bytes


class Answer(Enum):
    """What the witness says, by its HTTP status."""

    COSIGN = 200
    MALFORMED = 400
    UNSIGNED = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    INCONSISTENT = 422


def write_submission(old: int, path: Sequence[bytes], note: bytes) -> bytes:
    """The body of ``add-checkpoint``."""
    return f"old {old}\n{path_lines(path)}\n".encode() + note


def read_submission(data: bytes) -> Submission:
    """Take such a body apart; BadNote where it is none."""
    try:
        head, gap, note = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise BadNote("the request is not UTF-8") from None
    lines = head.split("\n")
    if not gap or not lines[0].startswith("old ") or len(lines) > 1 + MAX_PATH or len(data) > MAX_REQUEST:
        raise BadNote("this is no request for a cosignature")
    path = tuple(hash_from(line) for line in lines[1:])
    return Submission(number(lines[0].removeprefix("old ")), path, note.encode())


def origin_of(submission: Submission) -> str:
    """Which log it is about; BadNote where the checkpoint cannot be read."""
    return read_checkpoint(read_note(submission.note)).origin


def judge(
    submission: Submission, logs: Iterable[Verifier], last: Checkpoint | None
) -> tuple[Answer, Checkpoint | None]:
    """Whether a witness that saw ``last`` may cosign, and the checkpoint where it may.

    It never takes a smaller tree, nor one that does not continue what it saw.
    """
    origin = origin_of(submission)
    known = [key for key in logs if key.name == origin]
    if not known:
        return Answer.UNKNOWN_LOG, None
    try:
        new = open_checkpoint(submission.note, known).checkpoint
    except BadNote:
        return Answer.UNSIGNED, None
    if submission.old > new.size:
        return Answer.MALFORMED, None
    before = last or Checkpoint(origin, 0, EMPTY)
    if submission.old != before.size or (submission.old == new.size and before.root != new.root):
        return Answer.CONFLICT, None
    if submission.old == 0 and submission.path:
        return Answer.INCONSISTENT, None
    if not consistency_holds(before.size, before.root, new.size, new.root, submission.path):
        return Answer.INCONSISTENT, None
    return Answer.COSIGN, new


def cosignature_from(answer: bytes, note: bytes, witness: Verifier) -> str:
    """The line of a known witness in its answer, verified over the note; BadNote where there is none."""
    try:
        lines = signature_lines(answer.decode())
    except UnicodeDecodeError:
        raise BadNote("the witness's answer is not UTF-8") from None
    text = read_note(note).text
    for one in lines:
        if (one.name, one.key_id) == (witness.name, witness.key_id):
            if witness.verified(text, one.signature) is None:
                raise BadNote(f"the signature of {witness.name} is wrong")
            return one.line
    raise BadNote(f"the answer holds no signature of {witness.name}")
