"""The HMAC chain over the leaves, and the check that names the first bad row."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from drm.audit.events import leaf_hash

START = bytes(32)
"""The chain value before the first event."""


@dataclass(frozen=True)
class LogRow:
    """One stored row of the log: the leaf as written and the chain value after it, which is over the leaf's hash."""

    seq: int
    leaf: bytes
    chain: bytes


@dataclass(frozen=True)
class Head:
    """The end of the log: how many events, and the chain value after the last."""

    size: int
    chain: bytes


@dataclass(frozen=True)
class LogVerdict:
    """What a check found. ``first_bad`` is a sequence number, None when the log is whole."""

    whole: bool
    size: int
    first_bad: int | None = None
    problem: str = ""


def next_chain(key: bytes, before: bytes, seq: int, digest: bytes) -> bytes:
    """HMAC-SHA-256 over the previous chain value, the sequence number (8 bytes, big-endian) and the leaf's hash."""
    return hmac.new(key, before + seq.to_bytes(8, "big") + digest, hashlib.sha256).digest()


def verify_chain(key: bytes, rows: Iterable[LogRow], head: Head | None) -> LogVerdict:
    """Check every row in sequence, then the end against the head kept outside the database.

    Names the first row that is edited, missing, swapped or inserted. With ``head`` it also notices a tail cut below it.
    Rows after the head are fine: the head may be a moment older than the log. It does not notice a tail that was cut
    together with the head.
    """
    chain, expected = START, 1
    at_head: bytes | None = START if head is not None and head.size == 0 else None
    for row in rows:
        problem = row_problem(key, row, expected, chain)
        if problem:
            return LogVerdict(False, expected - 1, expected, problem)
        chain = row.chain
        if head is not None and expected == head.size:
            at_head = chain
        expected += 1
    size = expected - 1
    if head is not None:
        if size < head.size:
            return LogVerdict(
                False, size, size + 1, f"the log ends at event {size}, but its head file knows {head.size} events"
            )
        if at_head is not None and not hmac.compare_digest(at_head, head.chain):
            return LogVerdict(False, size, head.size, f"event {head.size} is not the one that the head file names")
    return LogVerdict(True, size)


def row_problem(key: bytes, row: LogRow, expected: int, before: bytes) -> str:
    """What is wrong with the row that should be event ``expected`` after a chain value; "" where nothing is."""
    if row.seq != expected:
        return f"event {expected} is missing" if row.seq > expected else f"event {row.seq} stands twice or out of place"
    if not row.leaf:
        return f"event {expected} cannot be read, or its columns say something else than was written"
    try:
        written = json.loads(row.leaf)
        seq = written.get("seq") if isinstance(written, dict) else None
    except ValueError:
        return f"event {expected} cannot be read"
    if seq != expected:
        return f"event {expected} carries the number {seq}: rows were swapped or inserted"
    if not hmac.compare_digest(next_chain(key, before, expected, leaf_hash(row.leaf)), row.chain):
        return f"event {expected} does not continue the chain: it was edited, inserted or put in another place"
    return ""
