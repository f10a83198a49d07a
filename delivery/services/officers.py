"""The rights officer's work: approving and refusing, agreements with their counts, the usage log and its proof."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from delivery.consents import Fee
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, Invalid, NotFound
from delivery.jobs import FETCH, NewJob
from delivery.lifecycle import Action, move
from delivery.lists import LogEntry, LogPage
from delivery.people import Person, Role
from delivery.ports import Work
from delivery.searching import Leg
from delivery.services.consenting import with_fee_paid
from delivery.services.context import Context, require
from delivery.services.deciding import APPROVAL, agreement_pairs, is_denied, judge_at_fill, parsed
from delivery.services.fulfilling import refuse
from delivery.stores import AgreementVersion, HighestUse, LogFilter, Source
from drm.agreements import Agreement
from drm.audit.chain import LogVerdict
from drm.audit.events import Event
from drm.decisions import Decision, Outcome, RuleResult
from drm.quota import record_keys

EXPORT_BATCH = 500
FORMULA_SIGNS = frozenset("=+-@|%")
SPLITTING = re.compile("([;\t])")
IN_THE_MAKING = frozenset({"draft", "proposed"})
LIBRARY_PAYS = "library-royalty"
"""How a fee is settled that the library pays to the rights holder itself."""


@dataclass(frozen=True)
class AgreementView:
    """An agreement in force: its rules, its sources, and its other versions."""

    version: AgreementVersion
    agreement: Agreement
    sources: tuple[Source, ...]
    versions: tuple[AgreementVersion, ...]


def awaiting(ctx: Context, officer: Person) -> tuple[DocumentRequest, ...]:
    """Requests that wait for an officer, the oldest first."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        return work.requests.awaiting_approval()


def approve(
    ctx: Context, officer: Person, number: str, note: str, amount: str = "", currency: str = ""
) -> DocumentRequest:
    """Let a held request go on, under the agreements and counts as they are now. What is denied meanwhile cannot be approved.

    Where a fee is due the library pays it: ``amount`` is what it pays, "" where that is not known yet. Invalid for what is no amount.
    """
    require(officer, Role.RIGHTS_OFFICER)
    paid = _amount(amount, currency)
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        if request.hold != APPROVAL:
            raise Conflict("not-waiting", "This request does not wait for approval.")
        royalty = _royalty(request)
        request = _with_royalty(request)
        if is_denied(judge_at_fill(work, request, now).decision):
            raise Conflict("denied-meanwhile", "The agreements deny this request by now; it can only be refused.")
        request = replace(
            request,
            state=move(request.state, Action.APPROVE),
            hold="",
            approved=request.source_id,
            reason_text=note.strip()[:2_000],
            changed_at=now,
        )
        request = work.requests.save(request)
        if royalty:
            _take_over(work, officer, request, royalty, paid, now)
        work.record(
            Event(
                "request:approved",
                now,
                officer.reader_key,
                request.library_id,
                number,
                agreements=agreement_pairs(request),
                code=request.reason,
            )
        )
        work.jobs.add(NewJob(FETCH, f"fetch:{number}:{request.version}", {"request": number}), now)
    return request


def _amount(amount: str, currency: str) -> tuple[str, str]:
    """An amount and its currency as they are kept; 0 without a currency where nothing was said."""
    amount, currency = amount.strip() or "0", currency.strip().upper()
    if not re.fullmatch(r"\d{1,9}(\.\d{1,4})?", amount, re.ASCII):
        raise Invalid({"amount": "bad-number"})
    if not re.fullmatch(r"[A-Z]{3}", currency) and (currency or amount != "0"):
        raise Invalid({"currency": "bad-currency"})
    return amount, currency


def _royalty(request: DocumentRequest) -> tuple[RuleResult, ...]:
    """The rules for which a fee is due, where that is what the request waits for."""
    stored = request.decision.get("decision")
    decision = Decision.from_dict(stored) if isinstance(stored, Mapping) else None
    if decision is None or decision.outcome is not Outcome.NEEDS_FEE:
        return ()
    return tuple(
        result
        for result in decision.rules
        if result.outcome is Outcome.NEEDS_FEE and result.agreement not in decision.overridden
    )


def _take_over(
    work: Work,
    officer: Person,
    request: DocumentRequest,
    royalty: Sequence[RuleResult],
    paid: tuple[str, str],
    now: datetime,
) -> None:
    """Record that the library pays, once for each agreement, and that the copy is none of the free ones from now on."""
    first = {result.agreement: result for result in reversed(royalty)}
    for place, result in enumerate(first.values()):
        own = result.counts.get("amount")
        # One amount was named: it stands with the first agreement. An amount that a tariff computed stands with its own.
        amount, currency = paid if place == 0 else ("0", "")
        if amount == "0" and own is not None:
            amount, currency = str(own), str(result.counts.get("currency", ""))
        work.consents.charge(
            Fee(
                request=request.number,
                rule=result.rule,
                agreement=result.agreement,
                agreement_version=result.version,
                library_id=request.library_id,
                reader_key=request.reader_key,
                amount=amount,
                currency=currency,
                accepted_by=officer.reader_key,
                accepted_at=now,
                way=LIBRARY_PAYS,
                reference=request.reason_text[:200],
            )
        )
    where = (officer.reader_key, request.library_id, request.number)
    work.record(Event("fee:taken_over", now, *where, agreements=agreement_pairs(request)))
    record = work.ledger.record(request.claim)
    facts = request.decision.get("facts")
    if record is not None and isinstance(facts, Mapping):
        work.ledger.put_record(replace(record, facts=facts, keys=record_keys(facts)), now)


def _with_royalty(request: DocumentRequest) -> DocumentRequest:
    """An officer who approves where a fee is due says that the library pays it: the copy is then not one of the free ones."""
    stored, facts = request.decision.get("decision"), request.decision.get("facts")
    if (
        not isinstance(stored, Mapping)
        or not isinstance(facts, Mapping)
        or stored.get("outcome") != Outcome.NEEDS_FEE.word
    ):
        return request
    request = with_fee_paid(request)
    flags = facts.get("flags")
    paid = {**(flags if isinstance(flags, Mapping) else {}), "fee_paid": True}
    return replace(request, decision={**request.decision, "facts": {**facts, "flags": paid}})


def refuse_held(ctx: Context, officer: Person, number: str, reason: str) -> DocumentRequest:
    """Refuse a held request, with words for the reader."""
    require(officer, Role.RIGHTS_OFFICER)
    reason = reason.strip()
    if not reason or len(reason) > 2_000:
        raise Invalid({"reason": "too-long" if reason else "missing"})
    now = ctx.clock()
    with ctx.store.write() as work:
        request = work.requests.lock(number)
        if request.hold != APPROVAL:
            raise Conflict("not-waiting", "This request does not wait for approval.")
        return refuse(work, replace(request, reason_text=reason), now, officer.reader_key)


def agreements(ctx: Context, officer: Person) -> tuple[AgreementView, ...]:
    """The agreements in force."""
    require(officer, Role.RIGHTS_OFFICER, Role.LIBRARIAN, Role.OPERATOR)
    with ctx.store.read() as work:
        sources = work.sources.active()
        zone = work.libraries.get(officer.library_id).zone
        return tuple(
            AgreementView(
                version,
                parsed(version),
                tuple(source for source in sources if version.id in source.agreements),
                work.agreements.versions(version.id),
            )
            for version in work.agreements.in_force(ctx.clock(), zone)
        )


def agreement(ctx: Context, officer: Person, agreement_id: str, version: int) -> AgreementView:
    """One version of an agreement. NotFound for one in the making, but for rights officers."""
    require(officer, Role.RIGHTS_OFFICER, Role.LIBRARIAN, Role.OPERATOR)
    with ctx.store.read() as work:
        found = work.agreements.get(agreement_id, version)
        versions = work.agreements.versions(agreement_id)
        if Role.RIGHTS_OFFICER not in officer.roles:
            versions = tuple(one for one in versions if one.standing not in IN_THE_MAKING)
        if found not in versions:
            raise NotFound("unknown-agreement", f"There is no agreement {agreement_id} v{version}.")
        sources = tuple(source for source in work.sources.active() if agreement_id in source.agreements)
        return AgreementView(found, parsed(found), sources, versions)


def usage_log(ctx: Context, officer: Person, wanted: LogFilter, leg: Leg = Leg()) -> LogPage:
    """One page of the log under a filter; a search goes along its leg."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.read() as work:
        return work.log.search(wanted, leg)


def export_log(ctx: Context, officer: Person, wanted: LogFilter) -> Iterator[LogEntry]:
    """All events of a filter, newest first. The export itself is an event."""
    require(officer, Role.RIGHTS_OFFICER)
    with ctx.store.write() as work:
        known = {library.id for library in work.libraries.all()}
        of = wanted.library_id if wanted.library_id in known else ""
        work.record(Event("log:exported", ctx.clock(), officer.reader_key, of))
        size = work.log.size()

    def entries() -> Iterator[LogEntry]:
        # Page by sequence number: what is written meanwhile must not shift the pages.
        before = size + 1
        while True:
            with ctx.store.read() as work:
                page = work.log.find(replace(wanted, before=before, limit=EXPORT_BATCH, offset=0))
            yield from page.entries
            if len(page.entries) < EXPORT_BATCH:
                return
            before = page.entries[-1].seq

    return entries()


def verify_log(ctx: Context, officer: Person) -> LogVerdict:
    """Check the whole log against its chain and its head file. That it was checked is an event too."""
    require(officer, Role.RIGHTS_OFFICER)
    verdict = ctx.check_log()
    with ctx.store.write() as work:
        work.record(Event("log:verified", ctx.clock(), officer.reader_key, code="whole" if verdict.whole else "broken"))
    return verdict


def guarded_cell(value: object) -> str:
    """A CSV cell that no spreadsheet takes for a formula (OWASP, CSV injection): a leading apostrophe disarms it.

    Many countries' spreadsheets split a line at semicolons, wherever the quotes of our commas stand: what would begin a
    cell of theirs is disarmed as well.
    """
    text = "" if value is None else str(value)
    begins = _first_seen(text)
    first, *others = SPLITTING.split(text[begins:])
    # What stands in quotes there begins after them.
    pieces = [f"'{piece}" if _is_formula(piece.replace('"', "")) else piece for piece in others]
    guarded = "".join([text[:begins], first, *pieces])
    return f"'{guarded}" if _is_formula(text) or text[:1] in {"\t", "\r", "\n"} else guarded


def _first_seen(text: str) -> int:
    # Programs pass over blanks and what cannot be seen.
    return next((place for place, sign in enumerate(text) if unicodedata.category(sign)[0] not in "ZC"), len(text))


def _is_formula(text: str) -> bool:
    # Some read the wide forms of East Asia as the plain ones.
    begins = _first_seen(text)
    return unicodedata.normalize("NFKC", text[begins : begins + 1]) in FORMULA_SIGNS


def export_columns() -> Mapping[str, str]:
    """The columns of the log's CSV and what each holds."""
    return {
        "seq": "number of the event",
        "at": "UTC time",
        "kind": "object:act",
        "actor": "pseudonym",
        "library": "library id",
        "request": "request number",
        "delivery": "delivery number",
        "agreements": "id@version",
        "code": "reason code",
        "title": "title of the work",
        "reader": "reader key",
        "hash": "SHA-256 of the leaf",
    }


def highest_use(ctx: Context, officer: Person, view: AgreementView) -> Mapping[str, HighestUse]:
    """For each limit: the highest number of slots held or settled under one scope, and how many scopes have any."""
    require(officer, Role.RIGHTS_OFFICER, Role.LIBRARIAN, Role.OPERATOR)
    with ctx.store.read() as work:
        return {rule.id: work.ledger.highest(rule.id) for rule in view.agreement.rules if rule.type == "limit"}
