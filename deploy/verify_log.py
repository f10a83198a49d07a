#!/usr/bin/env python3
"""Checks an exported audit log, or one proof, with no part of Rushlight: Python 3.9 or newer and the package 'cryptography'.

    verify_log.py FOLDER --key VERIFIER_KEY [--checkpoint FILE ...]
    verify_log.py --proof FILE --entry FILE --key VERIFIER_KEY

FOLDER holds checkpoint, tile/ and perhaps tile/entries/ (c2sp.org/tlog-tiles). Get the key from somebody you trust, not from
the folder. --checkpoint names older checkpoints, such as one that a witness kept: the log must continue them.
Exit 0: everything fits. Exit 1: something does not, and the first bad entry (counted from 0) is named. Exit 2: wrong usage, such
as a --key that is none or a named file that cannot be read.
"""

import argparse
import base64
import hashlib
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sha256 = hashlib.sha256


NUMBER = "(0|[1-9][0-9]{0,18})"
BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
PROOF = re.compile(
    rf"c2sp\.org/tlog-proof@v1\n(?:extra {BASE64}\n)?index {NUMBER}\n((?:[A-Za-z0-9+/]{{43}}=\n){{0,63}})", re.ASCII
)


class Wrong(Exception):
    """What does not fit."""


class Misused(Exception):
    """What was given on the command line and can be nothing of the kind."""


def decoded(text):
    """Bytes from base64, and nothing that a lenient reader would pass over."""
    if not re.fullmatch(BASE64, text, re.ASCII):
        raise Wrong("this is no base64")
    return base64.b64decode(text)


def leaf_hash(entry):
    return sha256(b"\0" + entry).digest()


def perfect_root(hashes):
    while len(hashes) > 1:
        hashes = [sha256(b"\1" + hashes[i] + hashes[i + 1]).digest() for i in range(0, len(hashes), 2)]
    return hashes[0]


def frontier(hashes):
    """The roots of the complete subtrees, the largest first."""
    found, start = [], 0
    for level in reversed(range(len(hashes).bit_length())):
        if len(hashes) >> level & 1:
            found.append(perfect_root(hashes[start : start + (1 << level)]))
            start += 1 << level
    return found


class Tree:
    """Rows of hashes that do not fill a tile of 256 yet, level by level."""

    def __init__(self):
        self.rows = [[]]
        self.tiles = []  # what became full since it was last emptied: level, number, bytes
        self.counts = [0]

    def add(self, level, value):
        while len(self.rows) <= level:
            self.rows.append([])
            self.counts.append(0)
        row = self.rows[level]
        row.append(value)
        if len(row) == 256:
            self.tiles.append((level, self.counts[level], b"".join(row)))
            self.counts[level] += 1
            self.rows[level] = []
            self.add(level + 1, perfect_root(row))

    def root(self, leaves=()):
        parts = [part for row in reversed(self.rows[1:]) for part in frontier(row)]
        parts += frontier(self.rows[0] + list(leaves))
        if not parts:
            return sha256(b"").digest()
        root = parts.pop()
        while parts:
            root = sha256(b"\1" + parts.pop() + root).digest()
        return root


class Key:
    """A published key: name+key id+base64(kind and public key)."""

    def __init__(self, text):
        try:
            self.name, self.key_id, encoded = text.strip().split("+", 2)
            raw = decoded(encoded)
        except (ValueError, Wrong):
            raise Misused(f"{text!r} is no verifier key") from None
        if len(raw) != 33 or sha256(self.name.encode() + b"\n" + raw).hexdigest()[:8] != self.key_id:
            raise Misused(f"{text!r} is no verifier key")
        if raw[0] != 1:
            raise Wrong(f"{text!r} is no verifier key of a log")
        self.public = Ed25519PublicKey.from_public_bytes(raw[1:])


def signatures_in(below):
    """Name and bytes of each signature below a note (c2sp.org/signed-note)."""
    if not below.endswith("\n"):
        raise Wrong("the checkpoint breaks off")
    for line in below[:-1].split("\n"):
        parts = line.split(" ")
        raw = decoded(parts[2]) if len(parts) == 3 else b""
        if len(raw) < 5 or parts[0] != "\u2014" or not re.fullmatch(r"[^\s+]+", parts[1]):
            raise Wrong("a signature line cannot be read")
        yield parts[1], raw


def open_checkpoint(note, keys):
    """Origin, size and root of a checkpoint that a known key signed."""
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise Wrong("this is no checkpoint") from None
    text, gap, below = whole.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")[:-1]
    if not gap or len(lines) < 3 or not all(lines) or not re.fullmatch(NUMBER, lines[1], re.ASCII):
        raise Wrong("this is no checkpoint")
    if any(one < " " and one != "\n" for one in whole):
        raise Wrong("the checkpoint holds control characters")
    seen = set()
    for name, raw in signatures_in(below):
        for key in keys:
            # Of two signatures of one key the first counts, as for other readers of notes.
            if (name, raw[:4].hex()) == (key.name, key.key_id) and name == lines[0] and key not in seen:
                try:
                    key.public.verify(raw[4:], text.encode())
                except InvalidSignature:
                    raise Wrong(f"the signature of {name} is wrong") from None
                seen.add(key)
    if not seen:
        raise Wrong(f"no known key signed the checkpoint of {lines[0]}")
    root = decoded(lines[2])
    if len(root) != 32:
        raise Wrong("this is no checkpoint")
    return lines[0], int(lines[1]), root


def path_of(level, number, width):
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return f"tile/{level}/{name}" + ("" if width == 256 else f".p/{width}")


def entries_in(bundle):
    found, at = [], 0
    while at + 2 <= len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        found.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(bundle):
        raise Wrong("a bundle of entries breaks off")
    return found


def named(path):
    """What is in a file that the command line names."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}") from None


def read(folder, name):
    path = folder / name
    if not path.is_file():
        raise Wrong(f"{name} is missing")
    return path.read_bytes()


def older_roots(files, keys, origin, size):
    """Sizes and roots of the older checkpoints, ascending."""
    marks = []
    for file in files:
        name, at, value = open_checkpoint(named(file), keys)
        if name != origin:
            raise Wrong(f"{file} is a checkpoint of {name}")
        if at > size:
            raise Wrong(f"entry {size}: the log ends here, but {file} knows {at} entries")
        marks.append((at, value, str(file)))
    return sorted(marks)


def hashes_at(folder, first, width, with_entries):
    """The leaf hashes of one tile, held against the entries where they are there."""
    kept = read(folder, path_of(0, first // 256, width))
    hashes = [kept[i : i + 32] for i in range(0, len(kept), 32)]
    if len(kept) != 32 * width:
        raise Wrong(f"entry {first}: its tile holds {len(kept)} bytes")
    if with_entries:
        entries = entries_in(read(folder, path_of("entries", first // 256, width)))
        for place in range(width):
            if place >= len(entries) or leaf_hash(entries[place]) != hashes[place]:
                raise Wrong(f"entry {first + place} is not the one in the tree")
        if len(entries) != width:
            raise Wrong(f"entry {first + width} is one too many")
    return hashes


def check_folder(folder, keys, older):
    """Recompute the tree from the entries, or from the lowest tiles where entries are withheld; hold it against everything."""
    origin, size, root = open_checkpoint(read(folder, "checkpoint"), keys)
    marks = older_roots(older, keys, origin, size)
    with_entries = (folder / "tile/entries").is_dir()
    tree, good = Tree(), 0
    for first in range(0, size, 256):
        hashes = hashes_at(folder, first, min(256, size - first), with_entries)
        while marks and marks[0][0] <= first + len(hashes):
            at, value, name = marks.pop(0)
            if tree.root(hashes[: at - first]) != value:
                raise Wrong(f"entry {good} or one up to {at - 1} is not what {name} covers")
            good = at
        for value in hashes:
            tree.add(0, value)
        check_tiles(folder, tree)
    if tree.root() != root:
        raise Wrong(f"entry {good} or one up to {size - 1} is not what the checkpoint covers")
    for level, row in enumerate(tree.rows):
        if row and level and read(folder, path_of(level, tree.counts[level], len(row))) != b"".join(row):
            raise Wrong(f"the last tile of level {level} is not that of its entries")
    return origin, size, with_entries


def check_tiles(folder, tree):
    for level, number, data in tree.tiles:
        if level and read(folder, path_of(level, number, 256)) != data:
            raise Wrong(f"the tile {number} of level {level} is not that of its entries")
    tree.tiles.clear()


def check_proof(proof, entry, keys):
    """That the entry stands in the log where the proof file says (c2sp.org/tlog-proof)."""
    head, gap, note = proof.decode().partition("\n\n")
    found = PROOF.fullmatch(head + "\n")
    if found is None or not gap:
        raise Wrong("this is no proof of a log")
    index, steps = int(found[1]), [decoded(line) for line in found[2].split("\n")[:-1]]
    origin, size, root = open_checkpoint(note.encode(), keys)
    if not 0 <= index < size:
        raise Wrong(f"entry {index} is beyond the checkpoint")
    here, last, found = index, size - 1, leaf_hash(entry)
    for step in steps:
        if last == 0:
            raise Wrong(f"entry {index}: the proof is too long")
        if here & 1 or here == last:
            found = sha256(b"\1" + step + found).digest()
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + step).digest()
        here, last = here >> 1, last >> 1
    if last or found != root:
        raise Wrong(f"entry {index} is not in this log")
    return origin, size, index


def main():
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("folder", nargs="?", type=Path)
    given.add_argument("--key", action="append", required=True, help="verifier key of the log; may be given again")
    given.add_argument("--checkpoint", action="append", type=Path, default=[], help="an older checkpoint")
    given.add_argument("--proof", type=Path)
    given.add_argument("--entry", type=Path)
    options = given.parse_args()
    if (options.folder is None) == (options.proof is None) or (options.proof is None) != (options.entry is None):
        given.error("give a FOLDER, or --proof with --entry")
    try:
        keys = [Key(text) for text in options.key]
        if options.folder is None:
            origin, size, index = check_proof(named(options.proof), named(options.entry), keys)
            print(f"good: the entry is number {index} of the log {origin}, under a checkpoint of {size}")
        else:
            origin, size, entries = check_folder(options.folder, keys, options.checkpoint)
            print(f"good: {origin}, {size} entries" + ("" if entries else " (only their hashes are here)"))
    except Misused as problem:
        print(f"{given.prog}: {problem}", file=sys.stderr)
        return 2
    except (Wrong, ValueError, IndexError, OSError) as problem:
        print(f"BAD: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
