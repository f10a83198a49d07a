"""Asking one place outside what it knows of our log. No transaction is open while it is asked."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import islice

from delivery.errors import DeliveryError
from delivery.log_places import KeptCheckpoint, Place, PlaceAhead, PlaceDiffers, PlaceFailed, PlaceState, Seen
from delivery.services.context import Context
from delivery.services.log_checking import Known
from delivery.services.log_tiles import subtrees_of
from drm.audit.checkpoints import Checkpoint, open_checkpoint
from drm.audit.keys import LogKeys
from drm.audit.notes import BadNote, read_note
from drm.audit.tree import EMPTY, prove_consistency

BATCH = 500


@dataclass(frozen=True)
class Trouble:
    """Why a place could not be asked; or, where it ``differs``, in what it and our log contradict each other."""

    text: str
    differs: bool

    def __str__(self) -> str:
        return self.text


def known_from(keys: LogKeys, note: bytes, where: str) -> Known:
    """What a checkpoint says of our log; BadNote where no key of ours signed it."""
    seen = open_checkpoint(note, keys.verifiers).checkpoint
    if seen.origin != keys.origin:
        raise BadNote(f"it is a checkpoint of {seen.origin}")
    return Known(seen.size, seen.root, where)


class Asking(threading.Thread):
    """A thread that asks one place, so that nobody waits for a place longer than he will: what it found until ``end`` counts.

    ``last`` and ``state`` are what was kept of log and place before it was asked.
    """

    def __init__(
        self, ctx: Context, place: Place, last: KeptCheckpoint | None, state: PlaceState | None, end: float
    ) -> None:
        super().__init__(name="asking-place", daemon=True)
        self._ctx, self._place, self._last, self._end = ctx, place, last, end
        self._given = state.size if state is not None else 0
        self._there = 0
        """How many events there are."""
        self._known: list[Known] = []
        self._trouble: Trouble | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Ask."""
        try:
            self._ask()
        except PlaceFailed as failed:
            self._tell(Trouble(str(failed), isinstance(failed, PlaceDiffers)))
        except DeliveryError as error:
            self._tell(Trouble(f"the log cannot show that it continues what the place has seen ({error.text})", True))
        except BaseException as failure:  # noqa: BLE001 - it belongs to whoever waits for this thread
            self._failure = failure

    def found(self) -> tuple[list[Known], Trouble | None]:
        """What the place knows, and what is wrong with it, as far as it has said so until the end. Waits no longer than that."""
        self.join(max(0.0, self._end - time.monotonic()) + 1)
        if self._failure is not None:
            raise self._failure
        known, trouble = list(self._known), self._trouble
        if self.is_alive() and trouble is None:
            trouble = Trouble("does not answer in time", False)
        return known, trouble

    def _tell(self, trouble: Trouble) -> None:
        # The first is told; but nothing that was merely not to be had hides a contradiction.
        if self._trouble is None or (trouble.differs and not self._trouble.differs):
            self._trouble = trouble

    def _ask(self) -> None:
        last = self._last
        seen = self._asked(last)
        if seen.size is not None and seen.size > _size(last):
            # What was signed meanwhile was kept here before it went anywhere.
            with self._ctx.store.read() as work:
                last, self._there = work.tree.last_checkpoint(), work.log.size()
            if _size(last) > _size(self._last):
                seen = self._asked(last)
        if seen.size is None:
            return
        if seen.size:
            self._known.append(Known(seen.size, b"", self._place.name))
        if _size(last) < seen.size <= self._there:
            # Of one beyond the end of the log the check itself will tell, by what is known of it.
            self._tell(Trouble(str(PlaceAhead(seen.size)), True))
        if seen.size < self._given:
            self._tell(Trouble(str(PlaceDiffers(f"it shows {seen.size} events and was given {self._given}")), True))
        self._compare(seen)

    def _asked(self, last: KeptCheckpoint | None) -> Seen:
        def prove(size: int) -> list[bytes]:
            with self._ctx.store.read() as work:
                return prove_consistency(size, _size(last), subtrees_of(work, _size(last)))

        if last is not None:
            return self._place.seen(last.note, min(self._given, last.size), prove)
        # A log that signed nothing yet can be shown to nobody; only that it is empty so far.
        keys = self._ctx.log.keys
        nothing = Checkpoint(keys.origin, 0, EMPTY).signed(keys.signer(self._ctx.clock()))
        return self._place.seen(nothing, 0, lambda size: [])

    def _compare(self, seen: Seen) -> None:
        """Leave out the notes that are word for word those that we keep: these are checked with the log."""
        with self._ctx.store.read() as work:
            self._there = work.log.size()
        notes, done = iter(seen.notes), 0
        while batch := list(islice(notes, BATCH)):
            sizes = [size for size, _ in batch]
            with self._ctx.store.read() as work:
                ours = {one.size: one.note for one in work.tree.checkpoints(min(sizes) - 1, max(sizes))}
            for size, note in batch:
                if size not in ours or not _same(ours[size], note):
                    self._judge(size, note, size in ours)
            done += len(batch)
            if len(batch) == BATCH and time.monotonic() > self._end:
                self._tell(Trouble(f"only its newest {done} checkpoints could be read in time", False))
                return

    def _judge(self, size: int, note: bytes, kept: bool) -> None:
        try:
            known = known_from(self._ctx.log.keys, note, self._place.name)
        except BadNote as problem:
            # The log's keys, or the place, are not what they were.
            self._tell(Trouble(str(PlaceDiffers(f"what it keeps is no checkpoint of this log: {problem}")), True))
            return
        self._known.append(known)
        if known.size != size:
            text = f"what it keeps over {size} events is a checkpoint over {known.size}"
            self._tell(Trouble(str(PlaceDiffers(text)), True))
        elif not kept and size <= self._there:
            text = f"it keeps a checkpoint over {size} events that is not kept here"
            self._tell(Trouble(str(PlaceDiffers(text)), True))


def _size(last: KeptCheckpoint | None) -> int:
    return last.size if last is not None else 0


def _same(ours: bytes, note: bytes) -> bool:
    try:
        return read_note(ours).text == read_note(note).text
    except BadNote:
        return False
