"""Checking that the log's head row is what the next event may be built on."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from delivery.log_places import HeadRow
from delivery.ports import Work
from drm.audit.chain import START
from drm.audit.tiles import hashes_of
from drm.audit.tree import HASH_BYTES, folded

EDGE = "the edge of the tree in the head row is not that of the events"


@dataclass(frozen=True)
class Edge:
    """The tree's edge that the head row has: over how many events, and the root that it gives."""

    size: int
    root: bytes


@dataclass(frozen=True)
class EndsFound:
    """Where the log and its head end. ``problem`` is what is wrong with the head row, "" where nothing is.

    ``stray`` is the number of an event that can be none.
    """

    size: int
    head_size: int
    edge: Edge | None
    problem: str = ""
    stray: int | None = None


def check_ends(work: Work) -> EndsFound:
    """Hold the head row against the last event. The root of its edge is for whoever has the tree of all events."""
    ends = work.tree.ends()
    heads = ends.heads
    if ends.first is not None and ends.first < 1:
        return EndsFound(ends.last, 0, None, f"event {ends.first} stands before the first", ends.first)
    if not heads and not ends.last:
        return EndsFound(0, 0, None)
    if len(heads) != 1 or heads[0].id != 1:
        return EndsFound(ends.last, 0, None, f"the log must have one head row, and has {_kinds(heads)}")
    [head] = heads
    size, hashed = head.size, head.hashed
    if type(size) is not int or type(hashed) is not int or not 0 <= hashed <= size:
        return EndsFound(ends.last, 0, None, "the head row does not say how many events there are")
    problem = "" if size == ends.last else f"the head row counts {size} events, and the log has {ends.last}"
    chain = work.tree.chain_at(size) if size else START
    if chain is not None and not hmac.compare_digest(chain, head.chain):
        problem = problem or f"the head row does not continue the chain after event {size}"
    if len(head.frontier) != hashed.bit_count() * HASH_BYTES:
        return EndsFound(ends.last, size, None, problem or EDGE)
    return EndsFound(ends.last, size, Edge(hashed, folded(hashes_of(head.frontier))), problem)


def _kinds(heads: tuple[HeadRow, ...]) -> str:
    return f"those with the numbers {', '.join(str(one.id) for one in heads)}" if heads else "none"
