"""What somebody with the database in hand, and even with all keys, may do to a log: each kind of change, at a random place."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from drm.audit.chain import START, next_chain
from drm.audit.checkpoints import Checkpoint
from drm.audit.events import leaf_hash
from drm.audit.kept import leaves_of
from drm.audit.notes import Signer
from drm.audit.tiles import GrowingTree
from drm.audit.tree import entry_hash, grown

COLUMNS = "at, kind, actor, library_id, request, delivery, agreements"
"""What an event's bytes are made of beside what is kept of them, in the sequence of the log's form."""


@dataclass
class Forger:
    """A copy of a database whose triggers are gone. ``witnessed`` is the size that somebody outside has seen."""

    database: sqlite3.Connection
    audit_key: bytes
    signer: Signer
    witnessed: int
    chance: random.Random

    def __post_init__(self) -> None:
        names = self.database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            self.database.execute(f"DROP TRIGGER {name}")

    @property
    def leaves(self) -> list[bytes]:
        """All entries."""
        return leaves_of(
            self.database.execute(f"SELECT seq, leaf, chain, {COLUMNS} FROM audit_events ORDER BY seq").fetchall()
        )

    def somewhere(self) -> int:
        """The number of an event that was witnessed."""
        return self.chance.randint(1, self.witnessed)

    def rewrite(self, leaves: list[bytes], everything: bool) -> None:
        """Put other entries in, all made to fit: chain and the tree's edge; with ``everything`` the tiles and signatures too."""
        chain, edge, tree = START, (), GrowingTree()  # type: bytes, tuple[bytes, ...], GrowingTree
        sizes = [size for (size,) in self.database.execute("SELECT size FROM audit_checkpoints ORDER BY size")]
        rows, tiles, notes = [], [], {}
        for seq, old in enumerate(leaves, 1):
            leaf = renumbered(old, seq)
            chain = next_chain(self.audit_key, chain, seq, leaf_hash(leaf))
            rows.append((seq, leaf, chain, *columns_of(leaf)))
            edge = grown(edge, seq - 1, entry_hash(leaf))
            tiles += tree.add([entry_hash(leaf)])
            if seq in sizes:
                notes[seq] = Checkpoint(self.signer.name, seq, tree.root).signed(self.signer)
        self.database.execute("DELETE FROM audit_events")
        self.database.executemany(
            f"INSERT INTO audit_events (seq, leaf, chain, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
        )
        head = (len(rows), chain, b"".join(edge), len(rows))
        self.database.execute("UPDATE audit_head SET size = ?, chain = ?, frontier = ?, hashed = ?", head)
        if everything:
            self.database.execute("DELETE FROM audit_tiles")
            made = [(name.level, name.number, hashes, root) for name, hashes, root in tiles]
            self.database.executemany("INSERT INTO audit_tiles VALUES (?, ?, ?, ?)", made)
            self.database.execute(f"DELETE FROM audit_checkpoints WHERE size > {len(rows)}")
            self.database.executemany(
                "UPDATE audit_checkpoints SET note = ? WHERE size = ?", [(note, size) for size, note in notes.items()]
            )

    def flip(self) -> None:
        """One bit of one event, in any of its columns that count."""
        seq, column = self.somewhere(), self.chance.choice(["leaf", "chain"])
        [(value,)] = self.database.execute(f"SELECT {column} FROM audit_events WHERE seq = {seq}").fetchall()
        changed = bytearray(value)
        changed[self.chance.randrange(len(changed))] ^= 1 << self.chance.randrange(8)
        self.database.execute(f"UPDATE audit_events SET {column} = ? WHERE seq = {seq}", (bytes(changed),))

    def swap(self) -> None:
        """Two events change places."""
        one, other = self.chance.sample(range(1, self.witnessed + 1), 2)
        for old, new in ((one, -1), (other, one), (-1, other)):
            self.database.execute(f"UPDATE audit_events SET seq = {new} WHERE seq = {old}")

    def delete(self) -> None:
        """One event goes."""
        self.database.execute(f"DELETE FROM audit_events WHERE seq = {self.somewhere()}")

    def insert(self) -> None:
        """An event comes in between, and all after it are renumbered, without the keys."""
        seq = self.somewhere()
        self.database.execute(f"UPDATE audit_events SET seq = -seq - 1 WHERE seq >= {seq}")
        self.database.execute("UPDATE audit_events SET seq = -seq WHERE seq < 0")
        self.database.execute(
            f"INSERT INTO audit_events (seq, leaf, chain, {COLUMNS}) "
            f"SELECT {seq}, leaf, chain, {COLUMNS} FROM audit_events WHERE seq = {seq + 1}"
        )

    def truncate(self) -> None:
        """The log ends earlier than somebody has seen, with every trace removed and signed anew."""
        self.rewrite(self.leaves[: self.somewhere() - 1], everything=True)

    def duplicate(self) -> None:
        """An event stands twice, and everything is computed anew."""
        # Not the last: what comes after that is no longer what somebody has seen.
        leaves, seq = self.leaves, self.chance.randint(1, self.witnessed - 1)
        self.rewrite([*leaves[:seq], leaves[seq - 1], *leaves[seq:]], everything=True)

    def back_date(self) -> None:
        """An event happened earlier, whether its bytes alone say so or its columns too."""
        seq = self.somewhere()
        leaf = changed_time(self.leaves[seq - 1], self.chance)
        self.database.execute(f"UPDATE audit_events SET leaf = ? WHERE seq = {seq}", (leaf,))
        if self.chance.random() < 0.5:
            at = columns_of(leaf)[0]
            self.database.execute(f"UPDATE audit_events SET at = ? WHERE seq = {seq}", (at,))

    def retell(self) -> None:
        """One column of one event says something else, which lists and searches would show."""
        seq, column = self.somewhere(), self.chance.choice(COLUMNS.split(", "))
        [(value,)] = self.database.execute(f"SELECT {column} FROM audit_events WHERE seq = {seq}").fetchall()
        place = self.chance.randrange(len(value) + 1)
        ways = [
            value[:place] + self.chance.choice('x"\\ \n\0é7') + value[place:],
            value[:place] + value[place + 1 :],
            "",
            value.encode(),
        ]
        changed = self.chance.choice([way for way in ways if way != value])
        self.database.execute(f"UPDATE audit_events SET {column} = ? WHERE seq = {seq}", (changed,))

    def keep_whole(self) -> None:
        """An event's bytes are kept whole, as older releases did, so that its columns may say something else."""
        seq = self.somewhere()
        self.database.execute(f"UPDATE audit_events SET leaf = ? WHERE seq = {seq}", (self.leaves[seq - 1],))
        self.database.execute(f"UPDATE audit_events SET actor = 'sneaky', library_id = '' WHERE seq = {seq}")

    def recompute_suffix(self) -> None:
        """An event is changed, and all hashes, the chain and the edge after it are made to fit, with the audit key."""
        leaves, seq = self.leaves, self.somewhere()
        leaves[seq - 1] = changed_time(leaves[seq - 1], self.chance)
        self.rewrite(leaves, everything=False)

    def recompute_all(self) -> None:
        """The same, and every tile and checkpoint is made and signed anew, with the signing key."""
        leaves, seq = self.leaves, self.somewhere()
        leaves[seq - 1] = changed_time(leaves[seq - 1], self.chance)
        self.rewrite(leaves, everything=True)


ACTS: tuple[Callable[[Forger], None], ...] = (
    Forger.flip,
    Forger.swap,
    Forger.delete,
    Forger.insert,
    Forger.truncate,
    Forger.duplicate,
    Forger.back_date,
    Forger.retell,
    Forger.keep_whole,
    Forger.recompute_suffix,
    Forger.recompute_all,
)


def columns_of(leaf: bytes) -> tuple[str, ...]:
    """What the columns of an event's row say, after its bytes."""
    content = json.loads(leaf)
    said = (str(content.get(name, "")) for name in ("kind", "actor", "library", "request", "delivery"))
    return (content["at"][:-1].replace("T", " "), *said, " ".join(content.get("agreements", [])))


def renumbered(leaf: bytes, seq: int) -> bytes:
    """The entry as it would be at another place."""
    return canonical({**json.loads(leaf), "seq": seq})


def changed_time(leaf: bytes, chance: random.Random) -> bytes:
    """The entry with another time."""
    return canonical({**json.loads(leaf), "at": f"2025-01-01T00:00:00.{chance.randrange(10**6):06d}Z"})


def canonical(content: dict[str, object]) -> bytes:
    """Bytes as the log writes them."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
