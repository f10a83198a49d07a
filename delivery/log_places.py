"""The tree of the audit log as a transaction offers it, and the places outside that keep its checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from drm.audit.checkpoints import Checkpoint, read_checkpoint
from drm.audit.kept import Row
from drm.audit.keys import LogKeys
from drm.audit.notes import BadNote, Verifier, read_note
from drm.audit.tree import consistency_holds

NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class LogHead:
    """How many events there are, and the root of the edge that is kept with them; None where an older release wrote last."""

    size: int
    root: bytes | None


@dataclass(frozen=True)
class HeadRow:
    """A head row as it stands in the database, where somebody may have written anything."""

    id: object
    size: object
    chain: bytes
    frontier: bytes
    hashed: object


@dataclass(frozen=True)
class LogEnds:
    """The lowest number of an event (None where there is none), the highest (at least 0), and every head row, all at one moment."""

    first: int | None
    last: int
    heads: tuple[HeadRow, ...]


@dataclass(frozen=True)
class Tile:
    """A full tile and the hash that stands for it one level up."""

    level: int
    number: int
    hashes: bytes
    root: bytes


@dataclass(frozen=True)
class KeptCheckpoint:
    """A checkpoint that was given out: its size, when (``NO_TIME`` where what is kept says no time), and the signed note."""

    size: int
    at: datetime
    note: bytes


@dataclass(frozen=True)
class CosignedCheckpoint:
    """A witness's line with the note of the checkpoint that it was given for, None where that is gone."""

    size: int
    place: str
    line: str
    note: bytes | None


DIFFERS = "does not agree with our log"
"""How every trouble begins that is no mere accident of the way; by this it is known where only its words were kept."""
BEFORE = "our log does not continue"
"""How an older release said so."""


@dataclass(frozen=True)
class PlaceState:
    """How far a place outside has seen the log; ``trouble`` is why the last try failed, "" where it did not."""

    place: str
    size: int
    tried_at: datetime
    trouble: str = ""

    @property
    def differs(self) -> bool:
        """Whether the last try failed because log and place contradict each other."""
        return self.trouble.startswith((DIFFERS, BEFORE))


class LogTree(Protocol):
    """The tree in one transaction. What was added is never changed."""

    def head(self) -> LogHead: ...
    def ends(self) -> LogEnds: ...
    def batches(self, after: int, until: int) -> Iterator[list[Row]]: ...
    def chain_at(self, seq: int) -> bytes | None: ...
    def leaves(self, first: int, count: int) -> list[bytes]: ...
    def tile(self, level: int, number: int) -> bytes | None: ...
    def tiles(self, level: int, first: int, count: int) -> list[Tile]: ...
    def tile_names(self) -> Iterator[tuple[object, object]]: ...
    def roots(self, level: int, first: int, count: int) -> list[bytes]: ...
    def tile_count(self) -> int: ...
    def add_tiles(self, tiles: Sequence[Tile]) -> None: ...
    def last_checkpoint(self) -> KeptCheckpoint | None: ...
    def checkpoint_over(self, size: int) -> KeptCheckpoint | None: ...
    def checkpoints(self, after: int, until: int) -> Iterator[KeptCheckpoint]: ...
    def add_checkpoint(self, kept: KeptCheckpoint) -> None: ...
    def cosignatures(self, size: int) -> tuple[str, ...]: ...
    def cosigned_checkpoints(self) -> Iterator[CosignedCheckpoint]: ...
    def cosigned_over(self, size: int) -> int | None: ...
    def add_cosignature(self, size: int, place: str, line: str, at: datetime) -> None: ...
    def places(self) -> dict[str, PlaceState]: ...
    def save_place(self, state: PlaceState) -> None: ...
    def witnessed(self, origin: str) -> Checkpoint | None: ...
    def witness(self, before: Checkpoint | None, new: Checkpoint, note: bytes, at: datetime) -> bool: ...


class PlaceFailed(Exception):
    """A place outside did not take or give a checkpoint; the text says why. Trying again later may help."""


class PlaceDiffers(PlaceFailed):
    """A place contradicts our log: somebody changed the log or set it back, or the place is not what it was."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{DIFFERS}: {why}")


class PlaceAhead(PlaceDiffers):
    """A place has seen ``size`` events, more than the checkpoint that it was shown."""

    def __init__(self, size: int) -> None:
        super().__init__(f"it has seen {size} events, more than were signed here: the log was set back")
        self.size = size


@dataclass(frozen=True)
class Seen:
    """What a place knows of our log: its largest size, None where it cannot be asked; and the notes that it keeps.

    The newest comes first, each after the size under which it is kept; reading them may raise PlaceFailed.
    """

    size: int | None
    notes: Iterable[tuple[int, bytes]] = ()


def is_there(newest: tuple[int, bytes | None], note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> bool:
    """Whether a place that keeps notes has this very checkpoint already. ``newest`` is the newest that lies there, (0, None) for none.

    PlaceDiffers unless ours continues that one, and where less lies there than was given: ``old`` events.
    """
    size, kept = newest
    if size < old:
        raise PlaceDiffers(f"it shows {size} events and was given {old}")
    if kept is None:
        return False
    try:
        ours, theirs = (read_checkpoint(read_note(one)) for one in (note, kept))
    except BadNote as problem:
        raise PlaceDiffers(f"what it keeps is no checkpoint: {problem}") from None
    if theirs.origin != ours.origin:
        raise PlaceDiffers(f"it keeps the checkpoints of {theirs.origin}")
    if theirs.size > ours.size:
        raise PlaceAhead(theirs.size)
    if not consistency_holds(theirs.size, theirs.root, ours.size, ours.root, prove(theirs.size)):
        raise PlaceDiffers(f"our log does not continue the {theirs.size} events that it has seen")
    return theirs.size == ours.size


class Place(Protocol):
    """Somewhere the service cannot rewrite what it once gave."""

    @property
    def name(self) -> str:
        """What the place is called in settings, pages and messages."""

    @property
    def every_seconds(self) -> int:
        """How long a place waits at least between two checkpoints."""

    def give(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> str:
        """Bring a checkpoint there; a witness's line, "" where the place signs nothing. PlaceFailed when it did not work.

        ``old`` is the size that the place saw last, as far as we know, and ``prove`` the way from any older size.
        """

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """What the place has seen so far. PlaceFailed where it does not say, PlaceDiffers where it contradicts ``note``, our newest.

        ``old`` and ``prove`` are as for giving.
        """


@dataclass(frozen=True)
class LogSettings:
    """What the log's use cases go by: keys, when to sign, whom we witness, and where checkpoints go."""

    keys: LogKeys
    seconds: int = 60
    events: int = 1_000
    public_entries: bool = False
    witnessed: tuple[Verifier, ...] = ()
    places: tuple[Place, ...] = ()
    witnesses: tuple[Verifier, ...] = ()
    """The keys of the places that cosign."""
