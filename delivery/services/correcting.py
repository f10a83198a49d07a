"""Correcting what a supplied copy counts as: when it was filled, which pages it was, which work. Both are kept, breaches are logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from delivery.document_request import DocumentRequest, Message
from delivery.effective_dates import known_then
from delivery.errors import Conflict, Invalid
from delivery.facts import facts_of, page_labels
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.services.context import Context, require, require_library
from delivery.services.deciding import Verdict, history_record, parsed, slots_of
from delivery.services.holding import words
from delivery.services.titling import linked
from delivery.stores import AgreementVersion, LedgerEntry, UsageRecord
from drm.agreements import Agreement
from drm.audit.events import Event
from drm.decisions import Outcome
from drm.policy import decide
from drm.quota import Scope, record_keys, scopes

NAMED = ("item", "article", "pages", "chapters")
"""What a citation says about a request; the rest of its facts is about who asked, when and how."""


@dataclass(frozen=True)
class Breach:
    """A limit that a supplied copy went beyond, as the records stand after a correction."""

    request: str
    agreement: tuple[str, int]
    rule: str
    counts: Mapping[str, object]


def correct(
    ctx: Context,
    staff: Person,
    number: str,
    reason: str,
    filled_at: datetime | None = None,
    pages: str | None = None,
    by_citation: bool = False,
) -> tuple[Breach, ...]:
    """Change when a copy was filled, or which pages it was; what is None stays. Returns the limits that this breaks after the fact.

    With ``by_citation`` it counts as the work that its request names by now: what it counted as is given back, and a new claim
    is entered and settled in its place. Each copy is judged under the versions that were in force when it was filled: a limit
    that was raised or lowered since changes nothing about the past. Nothing is taken back from the reader and nothing
    rewritten: the journal keeps how the record stood before, each new breach is an event, and the reason stands in a note.
    Invalid for a time in the future or before the request, and for pages that are no page numbers.
    """
    require(staff, Role.LIBRARIAN, Role.RIGHTS_OFFICER)
    reason, now = words(reason), ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        require_library(staff, request.library_id)
        record = work.ledger.record(request.claim)
        if record is None or record.status != "filled":
            raise Conflict("not-counted", "Nothing was supplied for this request that counts.")
        fresh = _changed(record, filled_at, pages, now)
        if by_citation:
            fresh = _renamed(work, request, fresh)
        work.ledger.lock(scope.key for one in (record, fresh) for scope in _counting(work, one))
        before = {**_breaches(work, record), **_breaches(work, fresh)}
        if fresh.claim != record.claim:
            _move(work, record, fresh, now, staff.reader_key)
            work.requests.save(replace(request, copy_no=request.copy_no + 1, changed_at=now))
        work.ledger.put_record(fresh, now)
        found = tuple(breach for key, breach in _breaches(work, fresh).items() if key not in before)
        work.requests.add_message(Message(number, now, "note", staff.id, staff.name, reason))
        work.record(Event("quota:corrected", now, staff.reader_key, request.library_id, number))
        for breach in found:
            work.record(
                Event(
                    "quota:breach",
                    now,
                    "system",
                    request.library_id,
                    breach.request,
                    agreements=(breach.agreement,),
                    code=breach.rule,
                    counts={breach.rule: dict(breach.counts)},
                )
            )
    return found


def _changed(record: UsageRecord, filled_at: datetime | None, pages: str | None, now: datetime) -> UsageRecord:
    if filled_at is not None and not record.requested_at <= filled_at <= now:
        raise Invalid({"filled_at": "bad-date"})
    facts = dict(record.facts)
    if pages is not None:
        labels = page_labels(pages) if pages.strip() else None
        if pages.strip() and labels is None:
            raise Invalid({"pages": "bad-pages"})
        asked = facts.get("request")
        known = {
            name: value for name, value in dict(asked if isinstance(asked, Mapping) else {}).items() if name != "pages"
        }
        facts["request"] = {**known, "pages": labels} if labels else known
    return replace(record, facts=facts, keys=record_keys(facts), filled_at=filled_at or record.filled_at)


def _renamed(work: Work, request: DocumentRequest, record: UsageRecord) -> UsageRecord:
    """The record as a claim on the work that the request names now. What a source said of another title no longer holds."""
    library = work.libraries.get(request.library_id)
    named = facts_of(request.citation, library, "", None, record.requested_at, None, None)
    asked, work_of, issue = (_table(named, group) for group in ("request", "work", "issue"))
    known = _table(record.facts, "request")
    ours = {name: value for name, value in known.items() if name not in NAMED}
    facts = {
        **record.facts,
        "request": {**ours, **{name: asked[name] for name in NAMED if name in asked}},
        "work": {**(_table(record.facts, "work") if _same_title(record.facts, named) else {}), **work_of},
        "issue": issue,
    }
    facts = linked(work, facts)
    return replace(record, claim=f"{request.number}/{request.copy_no + 1}", facts=facts, keys=record_keys(facts))


def _table(facts: Mapping[str, object], group: str) -> dict[str, object]:
    found = facts.get(group)
    return dict(found) if isinstance(found, Mapping) else {}


def _same_title(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    issn = _table(one, "work").get("issn")
    return issn is not None and issn == _table(other, "work").get("issn")


def _move(work: Work, record: UsageRecord, fresh: UsageRecord, now: datetime, actor: str) -> None:
    """Give back the slots of the old claim, and enter and settle those of the new one. Limits refuse nothing here."""
    entries = work.ledger.entries(record.claim)
    closed = {entry.slot.rule for entry in entries if entry.kind in {"release", "refund"}}
    for entry in entries:
        if entry.kind == "reserve" and entry.slot.rule not in closed:
            work.ledger.enter(LedgerEntry(record.claim, entry.slot, "refund", now, actor, "corrected"))
    work.ledger.put_record(replace(record, status="cancelled"), now)
    agreements = _then(work, fresh)
    decision = decide([agreements], fresh.facts, [])
    for slot in slots_of(Verdict(None, decision, agreements, fresh.facts)):
        for kind in ("reserve", "settle"):
            work.ledger.enter(LedgerEntry(fresh.claim, slot, kind, now, actor, "corrected"))


def _scopes(work: Work, record: UsageRecord) -> tuple[Scope, ...]:
    return scopes([_then(work, record)], record.facts)


def _counting(work: Work, record: UsageRecord) -> tuple[Scope, ...]:
    """The scopes of every limit that counts this copy: of its own agreements, and of all others in force when it was filled."""
    zone = work.libraries.get(record.library_id).zone
    others = known_then(work.agreements.standing("confirmed"), record.filled_at or record.requested_at, zone)
    return scopes([(*_then(work, record), *(parsed(version) for version in others))], record.facts)


def _breaches(work: Work, record: UsageRecord) -> dict[tuple[str, str], Breach]:
    """The limits broken by this copy, or because of it by those that share a scope with it, each at its own time of fill."""
    wanted = _counting(work, record)
    work.ledger.lock(scope.key for scope in wanted)
    near = _filled(work, wanted)
    found = {}
    for one in near:
        # Under the version of its own time a copy may be counted by more than what it shares with the corrected one.
        own = _scopes(work, one)
        records = near if _parts(own) <= _parts(wanted) else _filled(work, own)
        others = [history_record(other) for other in records if other.claim != one.claim and _not_later(other, one)]
        for breach in _of(work, one, others):
            found[breach.request, breach.rule] = breach
    return found


def _parts(scopes_of: tuple[Scope, ...]) -> frozenset[frozenset[tuple[str, str | None]]]:
    return frozenset(frozenset(scope.parts.items()) for scope in scopes_of)


def _filled(work: Work, wanted: tuple[Scope, ...]) -> list[UsageRecord]:
    return [one for one in work.ledger.history([(scope.parts, None) for scope in wanted]) if one.status == "filled"]


def _not_later(other: UsageRecord, one: UsageRecord) -> bool:
    """Whether the other copy stood when this one was filled; of two at one instant the claim decides."""
    if other.filled_at is None or one.filled_at is None:
        return True
    return (other.filled_at, other.claim) < (one.filled_at, one.claim)


def _of(work: Work, record: UsageRecord, others: list[dict[str, object]]) -> list[Breach]:
    agreements = _then(work, record)
    asked = record.facts.get("request")
    at = (record.filled_at or record.requested_at).isoformat()
    facts = {**record.facts, "request": {**(asked if isinstance(asked, Mapping) else {}), "fill_at": at}}
    decision = decide([agreements], facts, others)
    return [
        Breach(record.request, (result.agreement, result.version), result.rule, result.counts)
        for result in decision.rules
        if result.type == "limit" and result.outcome is not Outcome.ALLOW and result.window != "request"
    ]


def _then(work: Work, record: UsageRecord) -> tuple[Agreement, ...]:
    """The agreements of a copy in the words that were in force when it was filled, where its library is."""
    at, zone = record.filled_at or record.requested_at, work.libraries.get(record.library_id).zone
    return tuple(parsed(_version_at(work.agreements.versions(name), at, zone)) for name in record.under)


def _version_at(versions: Sequence[AgreementVersion], at: datetime, zone: ZoneInfo) -> AgreementVersion:
    """The newest version that was confirmed and effective at an instant.

    A fill that is dated back to before an agreement began is judged in its first words: it was supplied under it.
    """
    confirmed = [one for one in versions if one.standing == "confirmed"]
    return next(iter(known_then(confirmed, at, zone)), None) or min(confirmed, key=lambda one: one.version)
