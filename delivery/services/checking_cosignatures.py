"""Checking what is kept of places outside against the checkpoints that they were given."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.log_places import CosignedCheckpoint
from delivery.ports import Store
from drm.audit.chain import LogVerdict
from drm.audit.notes import BadNote, Verifier, read_note, signature_lines


def check_cosignatures(store: Store, witnesses: Sequence[Verifier], size: int) -> LogVerdict:
    """The verdict on a log of ``size`` that is whole in itself: whether the kept lines of witnesses belong to the kept checkpoints.

    The checkpoints that places were given must be there too. A line of a known witness that does not sign the checkpoint above it
    tells that another one stood there. Names the first event after the last checkpoint that a known witness confirms.
    """
    known = {(one.name, one.key_id): one for one in witnesses}
    good = 0
    with store.read() as work:
        for state in work.tree.places().values():
            kept = work.tree.checkpoint_over(state.size) if 0 < state.size <= size else None
            if state.size > 0 and (kept is None or kept.size != state.size):
                problem = f"the checkpoint over {state.size} events that {state.place} was given is not kept"
                return LogVerdict(False, size, None, problem)
        for cosigned in work.tree.cosigned_checkpoints():
            problem, confirmed = _judged(cosigned, known)
            if problem:
                return LogVerdict(False, size, min(good + 1, size), problem)
            good = max(good, cosigned.size if confirmed else 0)
    return LogVerdict(True, size)


def _judged(cosigned: CosignedCheckpoint, known: dict[tuple[str, bytes], Verifier]) -> tuple[str, bool]:
    """What is wrong with one line, "" for nothing, and whether a known witness made it."""
    where = f"{cosigned.place} signed over {cosigned.size} events"
    if cosigned.note is None:
        return f"the checkpoint that {where} is not kept", False
    try:
        if not cosigned.line.endswith("\n"):
            raise BadNote("the line does not end")
        [line] = signature_lines(cosigned.line)
        text = read_note(cosigned.note).text
    except (BadNote, ValueError):
        return f"what {where} cannot be read", False
    if line.name != cosigned.place:
        return f"what {where} was signed by {line.name}", False
    witness = known.get((line.name, line.key_id))
    if witness is None:
        # Of a place that is no longer asked, or under the key that it had before: nobody can say more here.
        return "", False
    if witness.verified(text, line.signature) is None:
        return f"what {where} is not the checkpoint that is kept", False
    return "", True
