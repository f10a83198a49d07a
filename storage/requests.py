"""Document requests in SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, Text, and_, func, or_, select, update
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from delivery.citation import Citation, fingerprints
from delivery.document_request import DocumentRequest, Message, QueueFilter, Try
from delivery.errors import Conflict, NotFound
from delivery.lifecycle import OPEN, State
from delivery.lists import RequestPage
from delivery.masters import KeptMaster
from delivery.searching import Leg
from delivery.stores import MOST_COUNTED, AskedBefore, Line, SameWork
from drm.pdf.tail.values import ENGINE_VERSION
from storage.masters import as_kept
from storage.models import (
    DeliveryRow,
    LibraryRow,
    MasterRow,
    MessageRow,
    PersonRow,
    ReaderLinkRow,
    RequestRow,
    SourceRow,
    TryRow,
    WorkRow,
)
from storage.queue_walks import NewestFirst, goes_by_legs, leg_walks, queue_walks
from storage.repeated import counts_for, source_sha256
from storage.same_work import ASKED_BEFORE, SAME_WORK, marked, of_reader
from storage.search_legs import found_on, stop_of
from storage.walks import count_of, holds, page_of

NUMBER = re.compile(r"[A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]{4}")
"""How numbers of requests and of copies look: a text like this is looked up and not searched for."""
PLAIN = (
    "library_id",
    "hold",
    "purpose",
    "language",
    "via",
    "reason",
    "reason_text",
    "source_id",
    "assignee_id",
    "repeat_of",
    "copy_no",
    "approved",
    "delivery",
    "created_at",
    "changed_at",
    "purged_at",
)

REQUESTS, LINKS, WORKS = (cast("Table", row.__table__) for row in (RequestRow, ReaderLinkRow, WorkRow))


class SqlRequests:
    """Document requests, what was tried for them and what was said."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # A session forgets what nobody holds. What was read last with a request stays, so that reading it again costs nothing.
        self._around: object = None

    def add(self, request: DocumentRequest) -> None:
        """Keep a new request with its fingerprints."""
        # While this is written every other writer waits, and objects of a session take three times as long as plain rows.
        self.session.execute(
            REQUESTS.insert(), {"number": request.number, "version": request.version, **_values(request)}
        )
        if request.reader_key:
            link = {"request": request.number, "reader_id": request.reader_id, "reader_key": request.reader_key}
            self.session.execute(LINKS.insert(), link)
        self._name_work(request)

    def get(self, number: str) -> DocumentRequest:
        """One request, else NotFound. Its library, its reader, its source and its copy are read along with it."""
        surroundings = _with_surroundings(number).add_columns(DeliveryRow)
        return as_request(self._read(surroundings.outerjoin(DeliveryRow, DeliveryRow.number == RequestRow.delivery)))

    def get_to_prepare(self, number: str) -> tuple[DocumentRequest, tuple[KeptMaster, ...]]:
        """One request like ``get``, with the masters of its file that may serve its copy, the newest first; by one statement."""
        claim = RequestRow.number.concat("/").concat(as_type(RequestRow.copy_no, Text))
        fitting = and_(
            MasterRow.source_sha256 == RequestRow.source_sha256,
            or_(MasterRow.only_for == "", MasterRow.only_for == claim),
            MasterRow.engine_version == ENGINE_VERSION,
            MasterRow.retired_at.is_(None),
            MasterRow.removed_at.is_(None),
        )
        statement = _with_surroundings(number).add_columns(DeliveryRow, MasterRow)
        statement = statement.outerjoin(DeliveryRow, DeliveryRow.number == RequestRow.delivery)
        found = self.session.execute(statement.outerjoin(MasterRow, fitting).order_by(MasterRow.made_at.desc())).all()
        if not found:
            raise NotFound("unknown-request", "There is no such request.")
        self._around = found
        return as_request(found[0][0]), tuple(as_kept(row[-1]) for row in found if row[-1] is not None)

    def lock(self, number: str) -> DocumentRequest:
        """One request, held until the transaction ends; read afresh."""
        statement = _with_surroundings(number).with_for_update(of=RequestRow)
        return as_request(self._read(statement.execution_options(populate_existing=True)))

    def _read(self, statement: Any) -> RequestRow:
        found = self.session.execute(statement).one_or_none()
        if found is None:
            raise NotFound("unknown-request", "There is no such request.")
        self._around = found
        row: RequestRow = found[0]
        return row

    def save(self, request: DocumentRequest) -> DocumentRequest:
        """Keep what changed; Conflict when somebody saved since the value was read."""
        row = self.session.get(RequestRow, request.number)
        if row is None:
            raise NotFound("unknown-request", "There is no such request.")
        if row.version != request.version:
            raise Conflict("changed-meanwhile", "Somebody else changed this request meanwhile; look at it again.")
        if Citation.from_dict(row.citation) != request.citation:
            self.session.query(WorkRow).filter(WorkRow.request == request.number).delete()
            self._name_work(request)
        _fill(row, request)
        row.version = request.version + 1
        self.session.flush()
        return replace(request, version=row.version)

    def change(self, before: DocumentRequest, after: DocumentRequest) -> DocumentRequest | None:
        """Keep what is new in ``after``, by one statement; None, and nothing is kept, when somebody saved since ``before`` was read.

        For a value read in an earlier transaction: it is compared and swapped by its version, and the request held from here on.
        Whose it is and which work it is about stay as they are.
        """
        values: dict[str, object] = {name: getattr(after, name) for name in PLAIN}
        values |= {"state": after.state.value, "found": dict(after.found), "decision": dict(after.decision)}
        known = {name: getattr(before, name) for name in values}
        new = {name: value for name, value in values.items() if value != known[name]}
        if "found" in new:
            new["source_sha256"] = source_sha256(after.found)
        if new.keys() & {"found", "decision"}:
            new["counts_for"] = counts_for(after.decision, after.found)
        statement = (
            update(RequestRow)
            .where(RequestRow.number == before.number, RequestRow.version == before.version)
            .values(version=before.version + 1, **new)
            .execution_options(synchronize_session=False)
        )
        result: Any = self.session.execute(statement)
        return replace(after, version=before.version + 1) if result.rowcount == 1 else None

    def _name_work(self, request: DocumentRequest) -> None:
        rows = [{"request": request.number, "work": work} for work in marked(fingerprints(request.citation))]
        if rows:
            self.session.execute(WORKS.insert(), rows)

    def of_reader(self, reader_id: str, limit: int, offset: int = 0) -> RequestPage:
        """A reader's own requests, newest first."""
        return self._page(select(RequestRow).where(of_reader(reader_id)), RequestRow.created_at.desc(), limit, offset)

    def same_work(self, fingerprints: Sequence[str], library_id: str, limit: int = 10) -> tuple[SameWork, ...]:
        """A library's requests that share a fingerprint, whoever asked, newest first."""
        wanted = {"marks": marked(fingerprints), "library": library_id, "most": limit}
        return tuple(SameWork(*row) for row in self.session.execute(SAME_WORK, wanted))

    def asked_before(self, fingerprints: Sequence[str], reader_id: str, limit: int = 10) -> tuple[AskedBefore, ...]:
        """A reader's own requests that share a fingerprint, newest first."""
        wanted = {"marks": marked(fingerprints), "reader": reader_id, "most": limit}
        return tuple(AskedBefore(*row) for row in self.session.execute(ASKED_BEFORE, wanted))

    def queue(self, wanted: QueueFilter, leg: Leg = Leg()) -> RequestPage:
        """What a librarian sees, the oldest first; closed views the newest first. No row is read but those of the page.

        A search of what has ended goes along its leg, looks at no more rows than that may, and says how far it came.
        """
        number = wanted.text.strip().upper()
        if not NUMBER.fullmatch(number) and goes_by_legs(wanted):
            passed, fitting = leg_walks(wanted)
            stop = stop_of(self.session, passed, NewestFirst(), leg)
            found, reach = found_on(self.session, fitting, NewestFirst(), leg, stop, wanted.limit)
            return RequestPage(self._these(found), len(found), reach)
        walks, order = queue_walks(wanted, [self._named(wanted.text.strip())] if wanted.text else [])
        numbers = page_of(self.session, walks, order, wanted.limit, wanted.offset)
        return RequestPage(self._these(numbers), count_of(self.session, walks))

    def _these(self, numbers: Sequence[str]) -> tuple[DocumentRequest, ...]:
        """The requests of these numbers, in their sequence."""
        if not numbers:
            return ()
        found = self.session.scalars(select(RequestRow).where(RequestRow.number.in_(numbers)))
        rows = {row.number: row for row in found}
        return tuple(as_request(rows[number]) for number in numbers if number in rows)

    def _named(self, text: str) -> ColumnElement[bool]:
        """The request of a whole number, or of its copy's; else those whose title holds the words."""
        number = text.upper()
        if not NUMBER.fullmatch(number):
            return holds(RequestRow.title, text)
        by_copy = select(RequestRow.number).join(DeliveryRow, DeliveryRow.request == RequestRow.number)
        found = self.session.scalars(by_copy.where(DeliveryRow.number == number, RequestRow.delivery == number)).all()
        return RequestRow.number.in_([number, *found])

    def counts(self, library_id: str = "") -> Mapping[str, int]:
        """Requests by state; "approval" counts those that wait for a rights officer. What has ended is counted up to ``MOST_COUNTED``."""
        ours = [RequestRow.library_id == library_id] if library_id else []
        statement = (
            select(RequestRow.state, RequestRow.hold, func.count())
            .where(RequestRow.state.in_([state.value for state in OPEN]), *ours)
            .group_by(RequestRow.state, RequestRow.hold)
        )
        counts: dict[str, int] = {state.value: 0 for state in State} | {"approval": 0}
        for state, hold, count in self.session.execute(statement):
            counts["approval" if hold == "approval" else state] += count
        ended = sorted({state.value for state in State} - {state.value for state in OPEN})
        few = [
            select(RequestRow.state).where(RequestRow.state == state, *ours).limit(MOST_COUNTED).subquery()
            for state in ended
        ]
        sums = self.session.execute(
            select(*(select(func.count()).select_from(one).scalar_subquery() for one in few))
        ).one()
        return counts | dict(zip(ended, sums, strict=True))

    def waiting(self, now: datetime) -> tuple[Line, ...]:
        """The requests that wait for an answer by state, with the age of the oldest. Closed ones are not looked at."""
        rows = self.session.execute(
            select(RequestRow.state, func.count(), func.min(RequestRow.created_at))
            .where(RequestRow.state.in_([state.value for state in OPEN]))
            .group_by(RequestRow.state)
        )
        return tuple(Line(state, count, max(now - since, timedelta())) for state, count, since in rows)

    def awaiting_approval(self, limit: int = 100) -> tuple[DocumentRequest, ...]:
        """Requests on hold for a rights officer, the oldest first."""
        rows = self.session.scalars(
            select(RequestRow)
            .where(RequestRow.state == State.NEW.value, RequestRow.hold == "approval")
            .order_by(RequestRow.created_at)
            .limit(limit)
        )
        return tuple(as_request(row) for row in rows)

    def created_between(
        self, since: datetime | None, until: datetime | None, after: str, limit: int
    ) -> tuple[DocumentRequest, ...]:
        """Requests made in [since, until), oldest first, those behind the request ``after`` ("" = from the beginning)."""
        statement = select(RequestRow).order_by(RequestRow.created_at, RequestRow.number).limit(limit)
        if since is not None:
            statement = statement.where(RequestRow.created_at >= since)
        if until is not None:
            statement = statement.where(RequestRow.created_at < until)
        last = self.session.get(RequestRow, after) if after else None
        if last is not None:
            behind = and_(RequestRow.created_at == last.created_at, RequestRow.number > last.number)
            statement = statement.where(or_(RequestRow.created_at > last.created_at, behind))
        return tuple(as_request(row) for row in self.session.scalars(statement))

    def preparing_from(self, blob: str) -> bool:
        """Whether any copy is being made from a file."""
        rows = self.session.scalars(select(RequestRow).where(RequestRow.state == State.PREPARING.value))
        return any(row.found.get("blob") == blob for row in rows)

    def add_try(self, tried: Try) -> None:
        """Note that a source was asked."""
        self.session.add(
            TryRow(
                request=tried.request,
                source_id=tried.source_id,
                at=tried.at,
                outcome=tried.outcome,
                code=tried.code,
                detail=tried.detail[:2000],
            )
        )

    def tries(self, number: str) -> tuple[Try, ...]:
        """What was tried, oldest first."""
        rows = self.session.scalars(select(TryRow).where(TryRow.request == number).order_by(TryRow.id))
        return tuple(Try(row.request, row.source_id, row.at, row.outcome, row.code, row.detail) for row in rows)

    def add_message(self, message: Message) -> None:
        """Keep a word."""
        self.session.add(
            MessageRow(
                request=message.request,
                at=message.at,
                kind=message.kind,
                author_id=message.author_id,
                text=message.text,
            )
        )

    def messages(self, number: str) -> tuple[Message, ...]:
        """What was said, oldest first."""
        rows = self.session.execute(
            select(MessageRow, PersonRow.name)
            .outerjoin(PersonRow, PersonRow.id == MessageRow.author_id)
            .where(MessageRow.request == number)
            .order_by(MessageRow.id)
        )
        return tuple(
            Message(row.request, row.at, row.kind, row.author_id, name or "", row.text, row.id) for row, name in rows
        )

    def _page(self, statement: Any, order: Any, limit: int, offset: int) -> RequestPage:
        few = statement.with_only_columns(RequestRow.number).limit(MOST_COUNTED).subquery()
        total = self.session.scalar(select(func.count()).select_from(few)) or 0
        rows = self.session.scalars(statement.order_by(order, RequestRow.number).limit(limit).offset(offset))
        return RequestPage(tuple(as_request(row) for row in rows), total)


def _with_surroundings(number: str) -> Any:
    return (
        select(RequestRow, LibraryRow, PersonRow, SourceRow)
        .join(LibraryRow, LibraryRow.id == RequestRow.library_id)
        .outerjoin(ReaderLinkRow, ReaderLinkRow.request == RequestRow.number)
        .outerjoin(PersonRow, PersonRow.id == ReaderLinkRow.reader_id)
        .outerjoin(SourceRow, SourceRow.id == RequestRow.source_id)
        .where(RequestRow.number == number)
    )


def _fill(row: RequestRow, request: DocumentRequest) -> None:
    for name, value in _values(request).items():
        setattr(row, name, value)
    if not request.reader_key:
        row.link = None
    elif row.link is None:
        row.link = ReaderLinkRow(reader_id=request.reader_id, reader_key=request.reader_key)
    else:
        row.link.reader_id, row.link.reader_key = request.reader_id, request.reader_key


def _values(request: DocumentRequest) -> dict[str, Any]:
    """What a request's row says of it, without its number, its version and whose it is."""
    values = {name: getattr(request, name) for name in PLAIN}
    found, decision = dict(request.found), dict(request.decision)
    return values | {
        "state": request.state.value,
        "typed": dict(request.typed),
        "citation": request.citation.to_dict(),
        "title": request.citation.title or request.citation.chapter or request.citation.container,
        "container": request.citation.container,
        "source_sha256": source_sha256(request.found),
        "found": found,
        "decision": decision,
        "counts_for": counts_for(decision, found),
    }


def as_request(row: RequestRow) -> DocumentRequest:
    return DocumentRequest(
        number=row.number,
        reader_id=row.link.reader_id if row.link else None,
        reader_key=row.link.reader_key if row.link else "",
        state=State(row.state),
        typed=row.typed,
        citation=Citation.from_dict(row.citation),
        found=row.found,
        decision=row.decision,
        version=row.version,
        **{name: getattr(row, name) for name in PLAIN},
    )
