"""The tree against a second implementation, written straight from the definitions of RFC 6962, for every pair up to 300 leaves."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest

from drm.audit.tiles import (
    WIDTH,
    GrowingTree,
    TileName,
    hashes_of,
    holds,
    packed,
    subtrees,
    tile_named,
    tiles_of,
    unpacked,
)
from drm.audit.tree import (
    EMPTY,
    consistency_holds,
    entry_hash,
    folded,
    grown,
    inclusion_holds,
    prove_consistency,
    prove_inclusion,
    root_of,
)

MOST = 300
ENTRIES = [b"entry %d" % number for number in range(MOST)]
LEAVES = [entry_hash(entry) for entry in ENTRIES]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@cache
def mth(first: int, end: int) -> bytes:
    """RFC 6962, 2.1: the Merkle Tree Hash of D[first:end]."""
    n = end - first
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + ENTRIES[first]).digest()
    k = largest_power_below(n)
    return hashlib.sha256(b"\x01" + mth(first, first + k) + mth(first + k, end)).digest()


def audit_path(m: int, first: int, end: int) -> list[bytes]:
    """RFC 6962, 2.1.1: PATH(m, D[first:end])."""
    n = end - first
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*audit_path(m, first, first + k), mth(first + k, end)]
    return [*audit_path(m - k, first + k, end), mth(first, first + k)]


def subproof(m: int, first: int, end: int, b: bool) -> list[bytes]:
    """RFC 6962, 2.1.2: SUBPROOF(m, D[first:end], b)."""
    n = end - first
    if m == n:
        return [] if b else [mth(first, end)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, first, first + k, b), mth(first + k, end)]
    return [*subproof(m - k, first + k, end, False), mth(first, first + k)]


@cache
def complete(level: int, number: int) -> bytes:
    return mth(number << level, (number + 1) << level)


def test_every_entry_of_every_tree_is_proved_as_the_definition_says() -> None:
    for size in range(1, MOST + 1):
        root = mth(0, size)
        for index in range(size):
            path = prove_inclusion(index, size, complete)
            assert path == audit_path(index, 0, size), (index, size)
            assert inclusion_holds(LEAVES[index], index, size, path, root)


def test_every_tree_is_proved_to_continue_every_smaller_one_as_the_definition_says() -> None:
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            proof = prove_consistency(old, new, complete)
            assert proof == subproof(old, 0, new, True), (old, new)
            assert consistency_holds(old, mth(0, old), new, mth(0, new), proof)


@pytest.mark.parametrize("size", [*range(1, 20), 63, 64, 65, 255, 256, 257])
def test_a_proof_serves_nothing_but_its_own_entry_tree_and_root(size: int) -> None:
    for index in range(size):
        path = prove_inclusion(index, size, complete)
        other = (index + 1) % size

        assert size == 1 or not inclusion_holds(LEAVES[other], index, size, path, mth(0, size))
        assert size == 1 or not inclusion_holds(LEAVES[index], other, size, path, mth(0, size))
        assert not inclusion_holds(LEAVES[index], index, size, [*path, EMPTY], mth(0, size))
        assert not path or not inclusion_holds(LEAVES[index], index, size, path[:-1], mth(0, size))
        assert not inclusion_holds(LEAVES[index], index, size, path, mth(0, size + 1))


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 8), (6, 7), (127, 128), (128, 129), (5, 299)])
def test_a_consistency_proof_that_was_touched_holds_no_more(old: int, new: int) -> None:
    proof, roots = prove_consistency(old, new, complete), (mth(0, old), mth(0, new))

    assert not consistency_holds(old, EMPTY, new, roots[1], proof)
    assert not consistency_holds(old, roots[0], new, EMPTY, proof)
    assert not consistency_holds(new, roots[1], old, roots[0], proof)
    for place in range(len(proof)):
        assert not consistency_holds(old, roots[0], new, roots[1], [*proof[:place], *proof[place + 1 :]])
        assert not consistency_holds(old, roots[0], new, roots[1], [*proof[:place], EMPTY, *proof[place + 1 :]])


def test_the_empty_tree_begins_every_tree_and_equal_trees_need_no_proof() -> None:
    assert consistency_holds(0, EMPTY, 5, mth(0, 5), [])
    assert not consistency_holds(0, mth(0, 1), 5, mth(0, 5), [])
    assert consistency_holds(5, mth(0, 5), 5, mth(0, 5), [])
    assert not consistency_holds(5, mth(0, 5), 5, mth(0, 4), [])
    assert not consistency_holds(5, mth(0, 5), 5, mth(0, 5), [EMPTY])


def test_the_edge_and_the_tiles_grow_to_the_same_root() -> None:
    edge: tuple[bytes, ...] = ()
    tree = GrowingTree()
    for size in range(MOST):
        assert folded(edge) == tree.root == root_of(size, complete) == mth(0, size)
        edge = grown(edge, size, LEAVES[size])
        tree.add([LEAVES[size]])


def big_log() -> tuple[GrowingTree, dict[TileName, bytes], list[bytes]]:
    leaves = [entry_hash(b"%d" % number) for number in range(70_000)]
    tree = GrowingTree()
    tiles = {name: tile for name, tile, _ in tree.add(leaves)}
    tiles |= {
        TileName(level, 70_000 >> 8 * (level + 1), len(row)): b"".join(row) for level, row in enumerate(tree.edge)
    }
    return tree, tiles, leaves


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    _, tiles, _ = big_log()
    wanted = list(tiles_of(70_000, entries=False))

    assert sorted(tiles) == sorted(wanted)
    assert [name.width for name in wanted if name.level == 0] == [WIDTH] * 273 + [112]
    assert [name.width for name in wanted if name.level == 1] == [WIDTH, 17]
    assert [name.width for name in wanted if name.level == 2] == [1]
    assert all(len(tile) == 32 * name.width for name, tile in tiles.items())


def test_any_proof_of_a_large_tree_comes_from_its_tiles() -> None:
    tree, tiles, leaves = big_log()
    whole = {(name.level, name.number): tile for name, tile in tiles.items()}
    subtree = subtrees(lambda level, number, least: whole[level, number])
    old = GrowingTree()
    old.add(leaves[:65_600])

    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999):
        path = prove_inclusion(index, 70_000, subtree)
        assert inclusion_holds(leaves[index], index, 70_000, path, tree.root)
    proof = prove_consistency(65_600, 70_000, subtree)
    assert consistency_holds(65_600, old.root, 70_000, tree.root, proof)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 0), "tile/0/000"),
        (TileName(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileName(1, 1_000, 17), "tile/1/x001/000.p/17"),
        (TileName(-1, 273, 112), "tile/entries/273.p/112"),
        (TileName(63, 999, 255), "tile/63/999.p/255"),
    ],
)
def test_a_tile_has_one_address(name: TileName, path: str) -> None:
    assert name.path == path
    assert tile_named(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/1234",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/x001/x234/067.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/-1/000",
        "tile/0/../000",
        "tile/entries/x001",
        "tile/0/٠٠٠",
        "",
    ],
)
def test_what_is_no_address_names_no_tile(path: str) -> None:
    assert tile_named(path) is None


def test_a_tree_holds_its_tiles_and_those_it_had_before_and_no_others() -> None:
    assert holds(70_000, TileName(0, 273, 112))
    assert holds(70_000, TileName(0, 273, 1))
    assert not holds(70_000, TileName(0, 273, 113))
    assert holds(70_000, TileName(2, 0, 1))
    assert not holds(70_000, TileName(2, 0, 2))


def test_a_bundle_gives_back_its_entries_and_one_that_breaks_off_is_refused() -> None:
    entries = [b"", b"a", bytes(65_535)]

    assert unpacked(packed(entries)) == entries
    for cut in (1, 4, 10):
        with pytest.raises(ValueError, match="breaks off"):
            unpacked(packed(entries)[:-cut])
    with pytest.raises(ValueError, match="longer"):
        packed([bytes(65_536)])
    assert hashes_of(b"".join(LEAVES[:3])) == LEAVES[:3]
