"""Signing checkpoints over what is durable, and building the tiles below them."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from delivery.errors import Conflict
from delivery.log_places import KeptCheckpoint, LogHead, Tile
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.log_tiles import subtrees_of
from drm.audit.chain import START
from drm.audit.checkpoints import Checkpoint, open_checkpoint
from drm.audit.notes import BadNote
from drm.audit.stretches import STRETCH, check_stretch
from drm.audit.tiles import WIDTH, GrowingTree, hashes_of
from drm.audit.tree import root_of


def is_due(ctx: Context, head: LogHead, last: KeptCheckpoint | None, now: datetime) -> bool:
    """Whether there are new events and either enough of them or enough time has passed."""
    if last is None or head.size <= last.size:
        return last is None and head.size > 0
    waited = now - last.at >= timedelta(seconds=ctx.log.seconds)
    # A clock that was set back must not put checkpoints off for as long.
    return waited or now < last.at or head.size - last.size >= ctx.log.events


def make_checkpoint(ctx: Context, audit_key: bytes, at_once: bool = False) -> Checkpoint | None:
    """Sign the log as it is, where a checkpoint is due or wanted ``at_once``; None where nothing was to do.

    Only rows that another transaction has made durable are read, each strictly, and the tree that they give must continue the
    last checkpoint and agree with the edge in the head row. Else nothing is signed: Conflict names what does not fit.
    """
    now = ctx.clock()
    with ctx.store.read() as work:
        head, last = work.tree.head(), work.tree.last_checkpoint()
    if not (head.size > (last.size if last else 0) if at_once else is_due(ctx, head, last, now)):
        return None
    while _add_tiles(ctx, audit_key, head.size):
        pass
    with ctx.store.read() as work:
        root = _root(work, audit_key, head)
        if last is not None:
            _continues(ctx, work, last)
    checkpoint = Checkpoint(ctx.log.keys.origin, head.size, root)
    with ctx.store.write() as work:
        work.tree.add_checkpoint(KeptCheckpoint(head.size, now, checkpoint.signed(ctx.log.keys.signer(now))))
    return checkpoint


def _broken(text: str) -> Conflict:
    return Conflict("log-broken", f"No checkpoint is signed: {text}.")


def _add_tiles(ctx: Context, audit_key: bytes, size: int) -> bool:
    """Build the full tiles of one more stretch; whether there may be more."""
    with ctx.store.read() as work:
        count = work.tree.tile_count()
        first = count * WIDTH
        until = min(size, first - first % STRETCH + STRETCH) // WIDTH * WIDTH
        if until <= first:
            return False
        before = START if first == 0 else work.tree.chain_at(first)
        found = check_stretch(audit_key, first, before or START, work.tree.batches(first, until))
        if found.problem or found.size < until:
            raise _broken(found.problem or f"event {found.size + 1} is missing")
        edge = _edge(work, count)
    made = [
        Tile(name.level, name.number, hashes, root)
        for tile in found.tiles
        for name, hashes, root in edge.add(hashes_of(tile))
    ]
    with ctx.store.write() as work:
        work.tree.add_tiles(made)
    return until < size // WIDTH * WIDTH


def _edge(work: Work, count: int) -> GrowingTree:
    """The tree's right edge over the first ``count`` full tiles of level 0."""
    edge, above = GrowingTree(size=count * WIDTH, edge=[[]]), count
    level = 0
    while above:
        whole, rest = divmod(above, WIDTH)
        edge.edge.append(work.tree.roots(level, whole * WIDTH, rest))
        if len(edge.edge[-1]) < rest:
            raise _broken(f"a tile of level {level} is missing")
        above, level = whole, level + 1
    return edge


def _root(work: Work, audit_key: bytes, head: LogHead) -> bytes:
    """The root over the rows themselves, checked against the edge that was kept with them."""
    first = head.size // WIDTH * WIDTH
    before = START if first == 0 else work.tree.chain_at(first)
    rest = check_stretch(audit_key, first, before or START, work.tree.batches(first, head.size))
    if rest.problem or rest.size < head.size:
        raise _broken(rest.problem or f"event {rest.size + 1} is missing")
    root = _edge(work, first // WIDTH).root_with(rest.rest)
    if head.root is not None and not hmac.compare_digest(root, head.root):
        raise _broken("the events do not give the tree that was kept when they were written")
    return root


def _continues(ctx: Context, work: Work, last: KeptCheckpoint) -> None:
    """That our own key signed the last checkpoint, and that its tree is the beginning of the present one."""
    try:
        known = open_checkpoint(last.note, ctx.log.keys.verifiers).checkpoint
    except BadNote as problem:
        raise _broken(
            f"the last checkpoint is not ours ({problem}); has every machine the same log-keys.json?"
        ) from None
    if known.size != last.size or not hmac.compare_digest(known.root, root_of(last.size, subtrees_of(work, last.size))):
        raise _broken(f"the events do not continue the checkpoint over {last.size} events")
