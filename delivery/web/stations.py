"""The way of a request as its reader sees it: what is behind, what happens now, what lies ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.document_request import DocumentRequest, Try
from delivery.lifecycle import State

PLACES = {State.NEW: "looking", State.FETCHING: "looking", State.AT_DESK: "desk", State.PREPARING: "preparing"}


@dataclass(frozen=True)
class Station:
    """One step of the way. ``now`` is where the request stands; ``ahead`` says that it has not come there."""

    name: str
    now: bool = False
    ahead: bool = False
    at: datetime | None = None
    words: str = ""


def stations(asked: DocumentRequest, tries: Sequence[Try], titles: Sequence[str]) -> tuple[Station, ...]:
    """The steps of a request that is open or supplied; none for one that ended otherwise."""
    if asked.state is State.SUPPLIED:
        here = "ready"
    elif asked.state in PLACES:
        here = "approval" if asked.hold else PLACES[asked.state]
    else:
        return ()
    by_desk = here == "desk" or (bool(tries) and not any(one.outcome == "found" for one in tries))
    names = ["received", "approval" if asked.hold else "permitted", "looking"]
    names += ["desk"] if by_desk else []
    names += ["preparing", "ready"]
    place = names.index(here)
    return tuple(
        Station(
            "looked" if name == "looking" and number < place else name,
            now=number == place and here != "ready",
            ahead=number > place,
            at=asked.created_at if name == "received" else asked.changed_at if name == here == "ready" else None,
            words=" · ".join(titles) if name == "permitted" else "",
        )
        for number, name in enumerate(names)
    )
