"""Tiles, bundles and proofs out of what the database keeps."""

from __future__ import annotations

from delivery.errors import NotFound
from delivery.log_places import KeptCheckpoint
from delivery.ports import Work
from delivery.stores import LARGEST
from drm.audit.proofs import Proof
from drm.audit.tiles import WIDTH, TileName, holds, packed, subtrees
from drm.audit.tree import HASH_BYTES, Subtree, entry_hash, prove_inclusion


def tile_bytes(work: Work, name: TileName, size: int) -> bytes:
    """The tile or bundle of a tree of ``size``; NotFound where that tree has none of this name."""
    if not holds(size, name):
        raise NotFound("unknown-tile", "There is no such part of the log.")
    if name.level < 0:
        entries = work.tree.leaves(name.number * WIDTH, name.width)
        if len(entries) < name.width:
            raise NotFound("unknown-tile", "There is no such part of the log.")
        return packed(entries)
    return _hashes(work, name.level, name.number, name.width)


def _hashes(work: Work, level: int, number: int, width: int) -> bytes:
    full = work.tree.tile(level, number)
    if full is not None:
        return full[: width * HASH_BYTES]
    if level == 0:
        hashes = [entry_hash(leaf) for leaf in work.tree.leaves(number * WIDTH, width)]
    else:
        hashes = work.tree.roots(level - 1, number * WIDTH, width)
    if len(hashes) < width:
        raise NotFound("unknown-tile", "There is no such part of the log.")
    return b"".join(hashes)


def subtrees_of(work: Work, size: int) -> Subtree:
    """Any complete subtree's hash of a tree of ``size``, from its tiles."""

    def tile(level: int, number: int, least: int) -> bytes:
        width = min(WIDTH, (size >> 8 * level) - number * WIDTH)
        return _hashes(work, level, number, max(width, least))

    return subtrees(tile)


def cosigned(work: Work, kept: KeptCheckpoint) -> bytes:
    """A checkpoint with the lines of its witnesses."""
    return kept.note + "".join(work.tree.cosignatures(kept.size)).encode()


def entry_of(work: Work, seq: int) -> bytes:
    """The bytes of event ``seq``. NotFound where there is no such event, whatever number that is."""
    leaves = work.tree.leaves(seq - 1, 1) if 0 < seq <= LARGEST else []
    if not leaves:
        raise NotFound("unknown-event", "There is no such event.")
    return leaves[0]


def prove(work: Work, seq: int) -> tuple[Proof, bytes]:
    """The proof that event ``seq`` stands in the log, under the oldest checkpoint that a witness signed, else the newest; and its bytes.

    NotFound where there is no such event, or no checkpoint over it yet.
    """
    entry = entry_of(work, seq)
    cosigned_size = work.tree.cosigned_over(seq)
    kept = work.tree.checkpoint_over(cosigned_size) if cosigned_size else work.tree.last_checkpoint()
    if kept is None or kept.size < seq:
        raise NotFound("no-checkpoint-yet", "No checkpoint covers this event yet; one is signed every minute.")
    path = prove_inclusion(seq - 1, kept.size, subtrees_of(work, kept.size))
    return Proof(seq - 1, tuple(path), cosigned(work, kept)), entry
