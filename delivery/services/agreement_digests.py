"""What the log says of the texts of agreements: the digest of the very words, whenever a person drafted, proposed or confirmed them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from delivery.ports import Work
from delivery.stores import LogFilter

TELLING = ("agreement:loaded", "agreement:drafted", "agreement:proposed", "agreement:sent_back", "agreement:confirmed")
MOST = 1_000_000
"""Events of one kind that are looked at: there is one where a person changes an agreement."""


@dataclass(frozen=True)
class ToldText:
    """An event that names the text of one version of an agreement by its SHA-256."""

    seq: int
    name: str
    version: int
    digest: str


def told_texts(work: Work) -> tuple[ToldText, ...]:
    """All such events, oldest first. Those that a release before the digests wrote tell nothing and are left out."""
    numbers = sorted(entry.seq for kind in TELLING for entry in work.log.find(LogFilter(kind=kind, limit=MOST)).entries)
    found = []
    for number in numbers:
        for leaf in work.tree.leaves(number - 1, 1):
            content = json.loads(leaf)
            for named in content.get("agreements", ()) if content.get("digest") else ():
                name, _, version = named.rpartition("@")
                found.append(ToldText(number, name, int(version), content["digest"]))
    return tuple(found)
