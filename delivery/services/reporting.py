"""Reports for rights holders: what each limit counted, every use by itself, fees due. No reader appears in any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from delivery.document_request import DocumentRequest
from delivery.errors import Invalid
from delivery.people import Library, Person, Role
from delivery.ports import Work
from delivery.services.context import Context, require
from delivery.services.deciding import agreement_pairs, parsed
from delivery.services.use_counts import COLUMNS, use_counts
from delivery.stores import UsageRecord
from drm.audit.events import Event
from drm.licence import check_retention

Cell = str | int
KINDS = ("titles", "uses", "requests", "fees", "declarations")
BATCH = 200


@dataclass(frozen=True)
class Report:
    """A table: the names of its columns, its rows, and what it is of."""

    kind: str
    agreement: str
    since: datetime
    until: datetime
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def report(ctx: Context, officer: Person, kind: str, agreement: str, since: datetime, until: datetime) -> Report:
    """A report on [since, until), under one agreement or ("") all. Making it is an event. Invalid for an unknown kind."""
    require(officer, Role.RIGHTS_OFFICER)
    if kind not in KINDS:
        raise Invalid({"kind": "unknown-kind"})
    if since >= until:
        raise Invalid({"since": "bad-period"})
    with ctx.store.write() as work:
        made = _MAKERS.get(kind, _counted(ctx.clock()))
        columns, rows = made(work, agreement, since, until)
        work.record(Event("report:made", ctx.clock(), officer.reader_key, code=f"{kind}:{agreement}"[:60]))
    return Report(kind, agreement, since, until, columns, tuple(rows))


Made = tuple[tuple[str, ...], list[tuple[Cell, ...]]]


def _counted(now: datetime) -> Callable[[Work, str, datetime, datetime], Made]:
    return lambda work, agreement, since, until: (COLUMNS, use_counts(work, agreement, since, until, now))


def _filled(work: Work, agreement: str, since: datetime, until: datetime) -> list[UsageRecord]:
    return [record for record in work.ledger.filled_between(since, until) if not agreement or agreement in record.under]


def _fact(record: UsageRecord, group: str, name: str) -> str:
    found = record.facts.get(group)
    value = found.get(name) if isinstance(found, Mapping) else None
    return "" if value is None else str(value)


def _title_of(record: UsageRecord) -> str:
    return _fact(record, "work", "issn") or _fact(record, "work", "id") or str(record.keys.get("title") or "")


def _libraries(work: Work) -> dict[str, Library]:
    return {library.id: library for library in work.libraries.all()}


def _uses(work: Work, agreement: str, since: datetime, until: datetime) -> Made:
    rows: list[tuple[Cell, ...]] = []
    for record in _filled(work, agreement, since, until):
        request = work.requests.get(record.request)
        rows.append(
            (
                "+".join(record.under),
                record.library_id,
                record.request,
                request.delivery,
                record.requested_at.isoformat(),
                record.filled_at.isoformat() if record.filled_at else "",
                _title_of(record),
                _fact(record, "issue", "id"),
                _fact(record, "issue", "date"),
                request.citation.title,
                request.citation.doi,
                request.citation.pages,
                _fact(record, "request", "purpose"),
                "yes" if _fact(record, "flags", "fee_paid") == "True" else "",
            )
        )
    columns = (
        "agreement", "library", "request", "delivery", "requested_at", "filled_at", "title_id", "issue", "issue_date", "title", "doi",
        "pages", "purpose", "fee_paid",
    )  # fmt: skip
    return columns, rows


def _fees(work: Work, agreement: str, since: datetime, until: datetime) -> Made:
    sums: dict[tuple[str, str, str, str, str], tuple[int, Decimal]] = {}
    for fee in work.consents.fees_between(since, until):
        if not agreement or fee.agreement == agreement:
            text = parsed(work.agreements.get(fee.agreement, fee.agreement_version))
            payee = text.report.get("to", "") or text.title
            key = (payee, fee.agreement, fee.library_id, fee.way, fee.currency)
            number, amount = sums.get(key, (0, Decimal(0)))
            sums[key] = (number + 1, amount + Decimal(fee.amount))
    rows: list[tuple[Cell, ...]] = [(*key, number, str(amount)) for key, (number, amount) in sorted(sums.items())]
    return ("payable_to", "agreement", "library", "way", "currency", "copies", "amount"), rows


def _requests(work: Work, agreement: str, since: datetime, until: datetime) -> Made:
    """Every request and how it ended, also those never supplied, with the day until which its record is kept."""
    libraries = _libraries(work)
    rows: list[tuple[Cell, ...]] = []
    after = ""
    while batch := work.requests.created_between(since, until, after, BATCH):
        for request in batch:
            pairs = agreement_pairs(request)
            if request.purged_at is not None:
                continue
            if agreement and agreement not in {name for name, _ in pairs}:
                continue
            record = work.ledger.record(request.claim)
            filled_at = record.filled_at if record else None
            rows.append(
                (
                    "+".join(f"{name}@{version}" for name, version in pairs),
                    request.library_id,
                    request.number,
                    request.created_at.isoformat(),
                    request.state.value,
                    request.reason,
                    filled_at.isoformat() if filled_at else "",
                    request.citation.issn or request.citation.container,
                    request.citation.date or request.citation.year,
                    request.citation.title,
                    _kept_until(work, request, filled_at, libraries[request.library_id]),
                )
            )
        after = batch[-1].number
    columns = (
        "agreements", "library", "request", "requested_at", "state", "reason", "filled_at", "title_id", "date", "title", "keep_until",
    )  # fmt: skip
    return columns, rows


def _kept_until(work: Work, request: DocumentRequest, filled_at: datetime | None, library: Library) -> str:
    agreements = [parsed(work.agreements.get(name, version)) for name, version in agreement_pairs(request)]
    facts = {"requested_at": request.created_at, "filled_at": filled_at, "declaration": True}
    verdict = check_retention(agreements, facts, request.created_at, "purge", library.tz)
    return str(verdict.counts.get("keep_until") or "")


def _declarations(work: Work, agreement: str, since: datetime, until: datetime) -> Made:
    """Declarations for an inspection: what was stated when, not by whom; the names are shown one by one, with a reason."""
    rows: list[tuple[Cell, ...]] = []
    for one in work.consents.declarations_between(since, until):
        if agreement and one.agreement != agreement:
            continue
        words = " / ".join(f"{code} v{kept['version']}: {kept['text']}" for code, kept in one.statements.items())
        signed_at = one.signed_at.isoformat()
        rows.append((one.agreement, one.agreement_version, one.library_id, one.request, one.rule, signed_at, words))
    return ("agreement", "version", "library", "request", "rule", "signed_at", "statements"), rows


_MAKERS: dict[str, Callable[[Work, str, datetime, datetime], Made]] = {
    "uses": _uses,
    "fees": _fees,
    "requests": _requests,
    "declarations": _declarations,
}
