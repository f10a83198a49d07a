"""The Merkle tree of RFC 6962 over the log's entries: hashes, roots, proofs, and their verification. Indexes begin with 0."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without entries."""

Subtree = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree: of 2**level entries, the how many-th of that width."""


def entry_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256 over 0x00 and the entry (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256 over 0x01 and both children (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def frontier_places(size: int) -> list[tuple[int, int]]:
    """The complete subtrees that a tree of this size is made of, the largest first, each as (level, number)."""
    places, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            places.append((level, start >> level))
            start += 1 << level
    return places


def grown(frontier: Sequence[bytes], size: int, leaf: bytes) -> tuple[bytes, ...]:
    """The frontier after one more leaf hash: every complete subtree at the right edge, the largest first."""
    kept = list(frontier)
    while size & 1:
        leaf = node_hash(kept.pop(), leaf)
        size >>= 1
    return (*kept, leaf)


def folded(hashes: Sequence[bytes]) -> bytes:
    """The root over a frontier."""
    if not hashes:
        return EMPTY
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_of(size: int, subtree: Subtree) -> bytes:
    """The root of the first ``size`` entries."""
    return folded([subtree(level, number) for level, number in frontier_places(size)])


def whole_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree from its hashes, whose number is a power of two."""
    sha = hashlib.sha256
    while len(hashes) > 1:
        # node_hash, written out: one of them is computed for every event that is checked.
        hashes = [sha(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def _span(first: int, end: int, subtree: Subtree) -> bytes:
    """The hash of the entries from ``first`` to before ``end``, where that is a node of some tree (RFC 6962, 2.1)."""
    shift = first
    return folded([subtree(level, number + (shift >> level)) for level, number in frontier_places(end - first)])


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def prove_inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of an entry in a tree of ``size``, from its sibling up (RFC 6962, 2.1.1). ValueError beyond the tree."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a tree of {size}")
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(_span(middle, end, subtree))
            end = middle
        else:
            path.append(_span(first, middle, subtree))
            first = middle
    return path[::-1]


def prove_consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """That the tree of ``old`` entries is the beginning of the tree of ``new`` (RFC 6962, 2.1.2). ValueError where it cannot be."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not continue one of {old}")
    if old in {0, new}:
        return []
    proof: list[bytes] = []
    first, end, complete = 0, new, True
    while old != end:
        middle = first + _split(end - first)
        if old <= middle:
            proof.append(_span(middle, end, subtree))
            end = middle
        else:
            proof.append(_span(first, middle, subtree))
            first, complete = middle, False
    if not complete:
        proof.append(_span(first, end, subtree))
    return proof[::-1]


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf's hash to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(step, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found, root)


def consistency_holds(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the newer tree continues the older one (RFC 9162, 2.1.4.2). The empty tree is the beginning of every tree."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        equal = old != new or hmac.compare_digest(old_root, new_root)
        return not proof and equal and (old != 0 or hmac.compare_digest(old_root, EMPTY))
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    of_old = of_new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            of_old, of_new = node_hash(step, of_old), node_hash(step, of_new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            of_new = node_hash(of_new, step)
        here, last = here >> 1, last >> 1
    return last == 0 and hmac.compare_digest(of_old, old_root) and hmac.compare_digest(of_new, new_root)
