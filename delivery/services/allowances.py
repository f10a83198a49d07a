"""What a reader has left: the limits that are counted for each reader alone, as they stand now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from delivery.citation import Citation
from delivery.facts import facts_of
from delivery.people import Person
from delivery.services.context import Context
from delivery.services.deciding import Route, agreements_of, history_record
from drm.agreements import Agreement
from drm.decisions import RuleResult
from drm.policy import decide
from drm.quota import scopes

OWN = frozenset({"reader", "entity"})
"""A limit is the reader's own when nothing of the work stands in its scope."""


@dataclass(frozen=True)
class Allowance:
    """One limit of a reader: how much is used or set aside of how much, and when it starts again."""

    title: str
    rule: str
    used: int
    most: int
    resets_at: datetime | None
    sources: tuple[str, ...]


def allowances(ctx: Context, reader: Person) -> tuple[Allowance, ...]:
    """The reader's own limits under the agreements that bind his library's sources. Reads only."""
    now = ctx.clock()
    found: dict[tuple[str, str], Allowance] = {}
    with ctx.store.read() as work:
        library = work.libraries.get(reader.library_id)
        in_force = work.agreements.in_force(now, library.zone)
        for source in work.sources.active():
            if source.library_id not in (None, reader.library_id):
                continue
            owner = work.libraries.get(source.library_id) if source.library_id else None
            agreements = agreements_of(Route(source, None), in_force, library) or ()
            facts = facts_of(
                Citation(), library, work.secrets.key_of(reader.id), reader, now, source, None, owner=owner
            )
            wanted = scopes([list(agreements)], facts)
            records = work.ledger.history([(scope.parts, scope.since) for scope in wanted])
            decision = decide([list(agreements)], facts, [history_record(record) for record in records])
            for result in decision.rules:
                if (allowance := _of(result, agreements, source.title)) is not None:
                    known = found.get((result.agreement, result.rule))
                    found[(result.agreement, result.rule)] = _merged(known, allowance)
    return tuple(found.values())


def _merged(known: Allowance | None, fresh: Allowance) -> Allowance:
    if known is None:
        return fresh
    return Allowance(fresh.title, fresh.rule, fresh.used, fresh.most, fresh.resets_at, (*known.sources, *fresh.sources))


def _of(result: RuleResult, agreements: tuple[Agreement, ...], source: str) -> Allowance | None:
    used, most = result.counts.get("used"), result.counts.get("limit")
    if not isinstance(used, int) or not isinstance(most, int):
        return None
    for agreement in agreements:
        for rule in agreement.rules:
            if rule.id == result.rule and "reader" in rule.per and set(rule.per) <= OWN:
                # The rule looks at one request more; a limit of a single request has nothing left to tell.
                if result.window == "request":
                    return None
                return Allowance(agreement.title, rule.id, used, most, _instant(result.resets), (source,))
    return None


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
