"""Checking the whole log: rows, chain, tree, tiles, signed checkpoints, and what places outside have seen."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from delivery.errors import NotFound
from delivery.log_places import NO_TIME, KeptCheckpoint, Tile
from delivery.ports import Store, Work
from delivery.services.log_ends import EDGE, EndsFound, check_ends
from delivery.services.log_tile_names import names_problem, tiles_kept
from delivery.services.log_tiles import subtrees_of
from drm.audit.chain import START, Head, LogVerdict
from drm.audit.checkpoints import open_checkpoint
from drm.audit.keys import LogKeys
from drm.audit.notes import BadNote
from drm.audit.stretches import STRETCH, Stretch, check_stretch
from drm.audit.tiles import WIDTH, GrowingTree, TileName, hashes_of
from drm.audit.tree import root_of


@dataclass(frozen=True)
class Known:
    """What is known of the log from elsewhere: a size, the root it had then ("" where only the size is known), and from where."""

    size: int
    root: bytes
    where: str


@dataclass(frozen=True)
class Part:
    """A stretch to check: the events after ``first`` up to ``until``, with the sizes at which the tree is wanted."""

    first: int
    until: int
    marks: tuple[int, ...]
    strict: bool


@dataclass(frozen=True)
class PartFound:
    """What one part gave: the stretch, its checkpoints (size, root, problem), and what is wrong with the tiles kept for it.

    ``kept`` are the tiles with other hashes than the events', by number, and ``rootless`` those whose root is not their own.
    """

    part: Part
    stretch: Stretch
    signed: tuple[tuple[int, bytes, str], ...]
    kept: dict[int, bytes]
    rootless: tuple[int, ...]


@dataclass
class _Fold:
    tree: GrowingTree = field(default_factory=GrowingTree)
    good: int = 0
    """Up to here every known root was right."""
    bad: LogVerdict | None = None
    edge_fits: bool = True
    """Whether the tree has the root that the head row's edge gives, where it came to that."""
    closed: list[tuple[TileName, bytes, bytes]] = field(default_factory=list)
    """Tiles above the lowest level that the last part filled."""


Check = Callable[[Part], PartFound]
Run = Callable[[Iterable[Part]], Iterable[PartFound]]


def check_part(store: Store, audit_key: bytes, keys: LogKeys, part: Part) -> PartFound:
    """Check one part by itself, against the chain value that stands before it. Parts may be checked at the same time."""
    with store.read() as work:
        signed = tuple(_opened(keys, one) for one in work.tree.checkpoints(part.first, part.until))
        marks = sorted({*part.marks, *(size for size, _, problem in signed if not problem)})
        before = START if part.first == 0 else work.tree.chain_at(part.first) or START
        batches = work.tree.batches(part.first, part.until)
        stretch = check_stretch(audit_key, part.first, before, batches, marks, part.strict)
        tiles = work.tree.tiles(0, part.first // WIDTH, STRETCH // WIDTH)
    if stretch.size < part.until and not stretch.problem:
        missing = f"event {stretch.size + 1} is missing"
        stretch = Stretch(**{**vars(stretch), "first_bad": stretch.size + 1, "problem": missing})
    # Only tiles that are not what the events give are of interest later.
    tiles = [one for one in tiles if one.number < (stretch.size // WIDTH)]
    kept = {one.number: one.hashes for one in tiles if one.hashes != _given(stretch, one.number)}
    rootless = (one.number for one in tiles if one.root != stretch.roots[one.number - stretch.first // WIDTH])
    return PartFound(part, stretch, signed, kept, tuple(rootless))


def _given(stretch: Stretch, number: int) -> bytes:
    return stretch.tiles[number - stretch.first // WIDTH]


def _opened(keys: LogKeys, kept: KeptCheckpoint) -> tuple[int, bytes, str]:
    try:
        seen = open_checkpoint(kept.note, keys.verifiers)
    except BadNote as problem:
        return kept.size, b"", f"the checkpoint over {kept.size} events is wrong: {problem}"
    if kept.at == NO_TIME:
        return kept.size, b"", f"the checkpoint over {kept.size} events does not say when it was signed"
    if seen.checkpoint.origin != keys.origin or seen.checkpoint.size != kept.size:
        return kept.size, b"", f"the checkpoint over {kept.size} events stands in another's place"
    if not any(keys.held_at(signer, kept.at) for signer in seen.signers):
        return kept.size, b"", f"the checkpoint over {kept.size} events was signed with a key that did not hold then"
    return kept.size, seen.checkpoint.root, ""


def check_whole_log(
    store: Store, keys: LogKeys, head: Head | None, known: Sequence[Known], check: Check, run: Run | None = None
) -> LogVerdict:
    """Check everything against everything. ``head`` and ``known`` must have been read before the call.

    Names the first bad event: exactly where a row, the chain or a tile that a checkpoint confirms shows it, else the first
    after the last checkpoint that still fits. ``run`` may check parts at the same time, in order.
    """
    with store.read() as work:
        # The ends last: what is written while we read must not look like a tile beyond them.
        last, tiles, ends = work.tree.last_checkpoint(), tiles_kept(work.tree.tile_names()), check_ends(work)
    size, signed = ends.size, last.size if last is not None else 0
    if ends.stray is not None:
        return LogVerdict(False, size, ends.stray, ends.problem)
    if ends.edge is not None:
        known = [*known, Known(ends.edge.size, ends.edge.root, EDGE)]
    fold = _Fold()
    parts = _parts(size, signed, known)
    for found in run(parts) if run is not None else map(check, parts):
        _fold(store, fold, found, known)
        if fold.bad is not None:
            return fold.bad
    for end in (Known(signed, b"", "a signed checkpoint"), *_heads(ends, head), *known):
        if end.size > size:
            text = f"the log ends at event {size}, but {end.where} knows {end.size} events"
            return LogVerdict(False, size, size + 1, text)
    if problem := names_problem(tiles, size, signed):
        return LogVerdict(False, size, None, problem)
    return _against_heads(store, ends if fold.edge_fits else replace(ends, problem=ends.problem or EDGE), head)


def check_end(store: Store, audit_key: bytes, keys: LogKeys, head: Head | None, most: int) -> LogVerdict:
    """Check the last events, about ``most`` of them, and that the log ends where its heads say. It says nothing of those before."""
    with store.read() as work:
        ends = check_ends(work)
    size, known = ends.size, max(one.size for one in _heads(ends, head))
    if ends.stray is not None:
        return LogVerdict(False, size, ends.stray, ends.problem)
    if known > size:
        return LogVerdict(False, size, size + 1, f"the log ends at event {size}, but its heads know {known} events")
    stretch = check_part(store, audit_key, keys, Part(max(0, size - most) // WIDTH * WIDTH, size, (), True)).stretch
    if stretch.problem:
        return LogVerdict(False, stretch.size, stretch.first_bad, stretch.problem)
    return _against_heads(store, ends, head)


def _heads(ends: EndsFound, head: Head | None) -> list[Known]:
    """How far the heads know the log."""
    return [
        Known(ends.head_size, b"", "the head row"),
        Known(head.size if head is not None else 0, b"", "its head file"),
    ]


def _against_heads(store: Store, ends: EndsFound, head: Head | None) -> LogVerdict:
    size = ends.size
    if head is not None and head.size:
        with store.read() as work:
            chain = work.tree.chain_at(head.size) or b""
        if not hmac.compare_digest(chain, head.chain):
            return LogVerdict(False, size, head.size, f"event {head.size} is not the one that the head file names")
    if ends.problem:
        return LogVerdict(False, size, None, ends.problem)
    return LogVerdict(True, size)


def _parts(size: int, signed: int, known: Sequence[Known]) -> Iterator[Part]:
    # One by one: whoever may add an event may give it any number, and nobody lists the parts up to there.
    # One part even of an empty log, so that checkpoints over what is not there are looked at.
    starts = range(0, max(size, 1), STRETCH)
    for first in starts:
        until = min(size, first + STRETCH)
        marks = tuple(sorted({one.size for one in known if one.root and first < one.size <= until}))
        yield Part(first, until, marks, strict=first + STRETCH > signed)


def _fold(store: Store, fold: _Fold, found: PartFound, known: Sequence[Known]) -> None:
    """Add a part to the tree, holding it against every root that is known of it, in order."""
    stretch, wanted = found.stretch, _wanted(found, known)
    for size, root, where in wanted:
        if size > stretch.size:
            break
        _grow(fold, stretch, size)
        parts = stretch.marks[size]
        full = size % WIDTH == 0
        got = fold.tree.root if full else fold.tree.root_over(parts)
        if not hmac.compare_digest(got, root):
            if where == EDGE:
                fold.edge_fits = False  # by itself it is not known to be older than the events
                continue
            fold.bad = _blame(store, fold, found, size, root, where)
            return
        if where != EDGE:
            fold.good = size
    _grow(fold, stretch, stretch.size)
    for size, _, problem in found.signed:
        if problem and (not stretch.problem or size < (stretch.first_bad or 0)):
            fold.bad = LogVerdict(False, stretch.size, fold.good + 1, problem)
            return
    if stretch.problem:
        fold.bad = LogVerdict(False, stretch.size, stretch.first_bad, stretch.problem)
    elif found.kept:
        number = min(found.kept)
        index = _differs(hashes_of(_given(stretch, number)), hashes_of(found.kept[number]), number * WIDTH)
        fold.bad = LogVerdict(False, stretch.size, index, f"the tile {number} is not that of its events")
    elif problem := _wrong_above(store, fold, found):
        fold.bad = LogVerdict(False, stretch.size, None, problem)
    elif stretch.rest:
        fold.tree.add(stretch.rest)


def _wrong_above(store: Store, fold: _Fold, found: PartFound) -> str:
    """What is wrong with the roots of the lowest tiles of this part, and with the tiles above that it filled; "" for nothing."""
    closed, fold.closed = fold.closed, []
    if found.rootless:
        return f"the root of the tile {found.rootless[0]} of level 0 is not that of its hashes"
    with store.read() as work:
        for name, hashes, root in closed:
            # Whether one must be there is asked when all is read.
            if work.tree.tiles(name.level, name.number, 1) not in ([], [Tile(name.level, name.number, hashes, root)]):
                return f"the tile {name.number} of level {name.level} is not that of the tiles below it"
    return ""


def _wanted(found: PartFound, known: Sequence[Known]) -> list[tuple[int, bytes, str]]:
    signed = [(size, root, "a signed checkpoint") for size, root, problem in found.signed if not problem]
    outside = [(one.size, one.root, one.where) for one in known if one.root and one.size in found.part.marks]
    return sorted([*signed, *outside], key=lambda one: one[0])


def _grow(fold: _Fold, stretch: Stretch, size: int) -> None:
    for number in range(fold.tree.size // WIDTH, size // WIDTH):
        fold.closed += fold.tree.add_full(stretch.roots[number - stretch.first // WIDTH])


def _differs(one: Sequence[bytes], other: Sequence[bytes], first: int) -> int:
    """The number of the first event whose hashes differ."""
    return first + 1 + next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)


def _blame(store: Store, fold: _Fold, found: PartFound, size: int, root: bytes, where: str) -> LogVerdict:
    """Which event is the first that is not what a checkpoint covers."""
    with store.read() as work:
        confirmed = _tiles_confirm(work, size, root)
    late = found.stretch.size
    if confirmed and found.kept:
        number = min(found.kept)
        index = _differs(hashes_of(_given(found.stretch, number)), hashes_of(found.kept[number]), number * WIDTH)
        return LogVerdict(False, late, index, f"event {index} is not the one that {where} covers")
    text = f"one of the events {fold.good + 1} to {size} is not the one that {where} covers"
    return LogVerdict(False, late, fold.good + 1, text)


def _tiles_confirm(work: Work, size: int, root: bytes) -> bool:
    """Whether the tiles that are kept give the root that is known, so that they tell which event was changed."""
    try:
        return hmac.compare_digest(root_of(size, subtrees_of(work, size)), root)
    except (NotFound, ValueError, IndexError):
        return False  # one is missing, or is no tile at all
