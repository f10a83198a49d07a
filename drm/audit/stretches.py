"""Checking a stretch of the log quickly: its rows against their numbers, hashes and chain, and the tree's hashes over them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drm.audit.chain import LogRow, row_problem
from drm.audit.kept import Row, bytes_of, leaves_of
from drm.audit.tiles import WIDTH, frontier_of
from drm.audit.tree import grown, whole_root

STRETCH = WIDTH * WIDTH
"""How many events are checked at once: a full tile of level 1."""


@dataclass(frozen=True)
class Stretch:
    """What is known of one stretch after checking: where it ends, the hashes of its tiles, and the first fault.

    ``rest`` are the leaf hashes after the last full tile, ``marks`` the complete subtrees within the last tile at each size
    that was asked for. ``chain`` is the value after the last good row.
    """

    first: int
    size: int
    roots: tuple[bytes, ...]
    tiles: tuple[bytes, ...]
    rest: tuple[bytes, ...]
    marks: dict[int, tuple[bytes, ...]]
    chain: bytes
    first_bad: int | None = None
    problem: str = ""


class Chain:
    """The HMAC chain, computed faster than by the library's general call: the key is worked in once."""

    def __init__(self, key: bytes) -> None:
        if len(key) > 64:
            key = hashlib.sha256(key).digest()
        self.inner = hashlib.sha256(bytes(each ^ 0x36 for each in key.ljust(64, b"\0")))
        self.outer = hashlib.sha256(bytes(each ^ 0x5C for each in key.ljust(64, b"\0")))


def check_stretch(
    key: bytes, first: int, before: bytes, rows: Iterable[Sequence[Row]], marks: Sequence[int] = (), strict: bool = True
) -> Stretch:
    """Check rows that begin after event ``first`` (a whole number of tiles), where the chain has the value ``before``.

    ``marks`` are sizes, ascending, at which the tree is wanted. With ``strict`` each leaf is read as what it is; without, its
    number is that of its row, which its bytes end with: enough for events that were read strictly before a checkpoint over
    them was signed. Batches of rows may have any length. Never raises for what the rows hold.
    """
    chain = Chain(key)
    wanted = list(marks)
    roots: list[bytes] = []
    tiles: list[bytes] = []
    found: dict[int, tuple[bytes, ...]] = {}
    leaves: list[bytes] = []
    size = first

    def ended(problem: str = "") -> Stretch:
        _close(leaves, len(roots) * WIDTH + first, wanted, found)
        bad = size + 1 if problem else None
        return Stretch(first, size, tuple(roots), tuple(tiles), tuple(leaves), found, before, bad, problem)

    for batch in rows:
        at = 0
        while at < len(batch):
            piece = batch[at : at + WIDTH - len(leaves)]
            at += len(piece)
            hashes, before, problem = _good_rows(chain, key, size, before, piece, strict)
            size += len(hashes)
            leaves = [*leaves, *hashes] if leaves else hashes
            if len(leaves) == WIDTH:
                _close(leaves, size - WIDTH, wanted, found)
                roots.append(whole_root(leaves))
                tiles.append(b"".join(leaves))
                leaves = []
            if problem:
                return ended(problem)
    return ended()


def _close(leaves: Sequence[bytes], first: int, wanted: list[int], found: dict[int, tuple[bytes, ...]]) -> None:
    """Note the subtrees at the wanted sizes that lie in this tile."""
    done, parts = 0, ()  # type: tuple[int, tuple[bytes, ...]]
    while wanted and wanted[0] <= first + len(leaves):
        width = wanted.pop(0) - first
        if not parts:
            parts, done = tuple(frontier_of(leaves[:width])), width
        while done < width:
            parts = grown(parts, done, leaves[done])
            done += 1
        found[first + width] = parts


def _good_rows(
    chain: Chain, key: bytes, size: int, before: bytes, rows: Sequence[Row], strict: bool
) -> tuple[list[bytes], bytes, str]:
    """The leaf hashes of the good rows from the first on, the chain value after them, and what is wrong with the next."""
    inner, outer, sha, same = chain.inner.copy, chain.outer.copy, hashlib.sha256, hmac.compare_digest
    hashes: list[bytes] = []
    last, number = before, size
    for row, leaf in zip(rows, leaves_of(rows), strict=True):
        number += 1
        seq, value = row[0], row[2]
        try:
            one, two = inner(), outer()
            one.update(last + number.to_bytes(8, "big") + sha(leaf).digest())
            two.update(one.digest())
            good = seq == number and same(two.digest(), value) and (not strict or _is_numbered(leaf, number))
        except TypeError:
            # SQLite lets anything stand anywhere: text, a number, nothing.
            good = False
        if not good:
            problem = row_problem(key, LogRow(seq, leaf, bytes_of(value)), number, last)
            return hashes, last, problem or f"event {number} is not in its canonical form"
        hashes.append(sha(b"\x00" + leaf).digest())
        last = value
    return hashes, last, ""


def _is_numbered(leaf: bytes, number: int) -> bool:
    try:
        written = json.loads(leaf)
    except ValueError:
        return False
    return isinstance(written, dict) and written.get("seq") == number
