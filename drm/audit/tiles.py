"""Tiles of 256 hashes and bundles of 256 entries: their addresses, their bytes, and the growing tree made of them (C2SP tlog-tiles)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from drm.audit.tree import HASH_BYTES, Subtree, folded, frontier_places, whole_root

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""How many hashes a full tile has, and how many entries a full bundle."""
MAX_ENTRY = 65_535
ADDRESS = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/){0,20}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


@dataclass(frozen=True, order=True)
class TileName:
    """Which tile: its level (-1 for a bundle of entries), its number, and how many it holds."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The address below the log's prefix."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        level = "entries" if self.level < 0 else str(self.level)
        return f"tile/{level}/{number}" + ("" if self.width == WIDTH else f".p/{self.width}")


def tile_named(path: str) -> TileName | None:
    """The tile at an address; None where the address is none."""
    found = ADDRESS.fullmatch(path)
    if found is None:
        return None
    level = -1 if found[1] == "entries" else int(found[1])
    width = int(found[3]) if found[3] else WIDTH
    name = TileName(level, int(found[2].replace("x", "").replace("/", "")), width)
    # One address for one tile: leading groups of zeros, and widths and levels that cannot be, are none.
    return name if level <= 63 and (found[3] is None or width < WIDTH) and name.path == path else None


def tiles_of(size: int, entries: bool = True) -> Iterator[TileName]:
    """All tiles of a tree, and its bundles, level by level."""
    for level in ([-1] if entries else []) + list(range(64)):
        full, rest = divmod(size >> HEIGHT * max(level, 0), WIDTH)
        if not full and not rest:
            return
        yield from (TileName(level, number) for number in range(full))
        if rest:
            yield TileName(level, full, rest)


def holds(size: int, name: TileName) -> bool:
    """Whether a tree of this size has the tile, or had it when it was smaller."""
    step = HEIGHT * max(name.level, 0)
    return name.number * WIDTH + name.width <= size >> step


def packed(entries: Sequence[bytes]) -> bytes:
    """A bundle: each entry after its length in two bytes. ValueError for an entry that is too long."""
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError(f"an entry is longer than {MAX_ENTRY} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpacked(bundle: bytes) -> list[bytes]:
    """The entries of a bundle; ValueError where it breaks off."""
    entries, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entry = bundle[at + 2 : at + 2 + length]
        if at + 2 > len(bundle) or len(entry) < length:
            raise ValueError("the bundle breaks off")
        entries.append(entry)
        at += 2 + length
    return entries


def hashes_of(tile: bytes) -> list[bytes]:
    """The hashes in a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def subtrees(tile: Callable[[int, int, int], bytes]) -> Subtree:
    """Any complete subtree's hash from tiles. ``tile`` gives a tile's bytes by level, number and the least width that is needed."""
    known: dict[tuple[int, int], bytes] = {}

    def subtree(level: int, number: int) -> bytes:
        row, above = divmod(level, HEIGHT)
        first = (number << above) % WIDTH
        place = (row, (number << above) // WIDTH)
        if len(known.get(place, b"")) < (first + (1 << above)) * HASH_BYTES:
            known[place] = tile(*place, first + (1 << above))
        return whole_root(hashes_of(known[place])[first : first + (1 << above)])

    return subtree


def frontier_of(hashes: Sequence[bytes]) -> list[bytes]:
    """The complete subtrees over hashes of one tile, the largest first."""
    places = frontier_places(len(hashes))
    return [whole_root(hashes[number << level : (number + 1) << level]) for level, number in places]


@dataclass
class GrowingTree:
    """The right edge of a tree as tiles that are not full yet: ``edge[level]`` are the hashes of that level's last tile."""

    size: int = 0
    edge: list[list[bytes]] = field(default_factory=list)

    def add(self, leaves: Sequence[bytes]) -> list[tuple[TileName, bytes, bytes]]:
        """Append leaf hashes; the tiles that became full: name, bytes, and the hash that stands for each one level up."""
        made: list[tuple[TileName, bytes, bytes]] = []
        at = 0
        while at < len(leaves):
            room = WIDTH - self.size % WIDTH
            piece = leaves[at : at + room]
            at += len(piece)
            self._level(0).extend(piece)
            self.size += len(piece)
            if self.size % WIDTH == 0:
                self._close(0, made)
        return made

    def add_full(self, root: bytes) -> list[tuple[TileName, bytes, bytes]]:
        """Append 256 leaves at once by the root of their tile; the tiles above that became full. ValueError where the last tile has begun."""
        if self.size % WIDTH:
            raise ValueError("the last tile has begun")
        self._level(0)
        self._level(1).append(root)
        self.size += WIDTH
        made: list[tuple[TileName, bytes, bytes]] = []
        if len(self.edge[1]) == WIDTH:
            self._close(1, made)
        return made

    def _level(self, level: int) -> list[bytes]:
        while len(self.edge) <= level:
            self.edge.append([])
        return self.edge[level]

    def _close(self, level: int, made: list[tuple[TileName, bytes, bytes]]) -> None:
        hashes = self._level(level)
        root = whole_root(hashes)
        number = (self.size >> HEIGHT * (level + 1)) - 1
        made.append((TileName(level, number), b"".join(hashes), root))
        hashes.clear()
        self._level(level + 1).append(root)
        if len(self.edge[level + 1]) == WIDTH:
            self._close(level + 1, made)

    @property
    def root(self) -> bytes:
        """The root of all that was added."""
        return self.root_with(())

    def root_with(self, leaves: Sequence[bytes]) -> bytes:
        """The root as if these leaf hashes were added too; they must fit into the last tile without filling it."""
        last = [*(self.edge[0] if self.edge else ()), *leaves]
        return self.root_over(frontier_of(last))

    def root_over(self, parts: Sequence[bytes]) -> bytes:
        """The root with a last tile of which the complete subtrees are known."""
        above = [part for row in reversed(self.edge[1:]) for part in frontier_of(row)]
        return folded([*above, *parts])
