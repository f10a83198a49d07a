"""Decides stored decisions again, from what was stored with them, and tells where the answer differs."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.ports import Work
from delivery.services.context import Context
from delivery.services.deciding import agreement_pairs, history_record, parsed
from delivery.services.titling import also_by
from drm.decisions import Decision
from drm.policy import decide
from drm.quota import scopes

BATCH = 200


@dataclass(frozen=True)
class Replayed:
    """A decision that was decided again. ``differs`` names the fields whose value is another one now; empty is as it must be."""

    request: str
    stored: Decision
    now: Decision
    differs: tuple[str, ...]
    tzdata: tuple[str, str]


def replay(ctx: Context, number: str) -> Replayed | None:
    """Decide a request again under the versions, facts and history that its stored decision saw; None without a decision.

    Raises NotFound for an unknown request.
    """
    with ctx.store.read() as work:
        return _again(work, work.requests.get(number))


def replay_all(ctx: Context, since: datetime | None, until: datetime | None) -> Iterator[Replayed]:
    """Every stored decision of requests made in [since, until), oldest first."""
    after = ""
    while True:
        with ctx.store.read() as work:
            batch = work.requests.created_between(since, until, after, BATCH)
            found = [_again(work, request) for request in batch]
        yield from (one for one in found if one is not None)
        if len(batch) < BATCH:
            return
        after = batch[-1].number


def _again(work: Work, request: DocumentRequest) -> Replayed | None:
    kept = request.decision
    stored, facts = kept.get("decision"), kept.get("facts")
    if not isinstance(stored, Mapping) or not isinstance(facts, Mapping) or not facts:
        return None
    agreements = tuple(parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request))
    wanted = scopes([agreements], facts)
    # Records may have been re-keyed since: the parts as they were then are asked for, and as they are now.
    keys = [(parts, scope.since) for scope in wanted for parts in also_by(work, scope.parts)]
    records = work.ledger.history_at(keys, int(str(kept.get("head", 0))), str(kept.get("claim", "")))
    now = decide([agreements], facts, [history_record(record) for record in records])
    before, after = Decision.from_dict(stored), now.to_dict()
    differs = tuple(name for name, value in before.to_dict().items() if after.get(name) != value)
    zones = (str(kept.get("tzdata", "")), importlib.metadata.version("tzdata"))
    return Replayed(request.number, before, now, differs, zones)
