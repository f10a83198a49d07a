"""Document requests in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from delivery.citation import Citation, fingerprints
from delivery.document_request import DocumentRequest, Message, QueueFilter, Try
from delivery.errors import Conflict, NotFound
from delivery.lifecycle import OPEN, State
from delivery.stores import Line, RequestPage
from storage.models import FingerprintRow, MessageRow, PersonRow, ReaderLinkRow, RequestRow, TryRow

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


class SqlRequests:
    """Document requests, what was tried for them and what was said."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, request: DocumentRequest) -> None:
        """Keep a new request with its fingerprints."""
        row = RequestRow(number=request.number, version=request.version)
        _fill(row, request)
        self.session.add(row)
        self.session.flush()
        self._name_work(request)

    def get(self, number: str) -> DocumentRequest:
        """One request, else NotFound."""
        row = self.session.get(RequestRow, number)
        if row is None:
            raise NotFound("unknown-request", "There is no such request.")
        return as_request(row)

    def lock(self, number: str) -> DocumentRequest:
        """One request, held until the transaction ends; read afresh."""
        statement = select(RequestRow).where(RequestRow.number == number).with_for_update(of=RequestRow)
        row = self.session.scalar(statement.execution_options(populate_existing=True))
        if row is None:
            raise NotFound("unknown-request", "There is no such request.")
        return as_request(row)

    def save(self, request: DocumentRequest) -> DocumentRequest:
        """Keep what changed; Conflict when somebody saved since the value was read."""
        row = self.session.get(RequestRow, request.number)
        if row is None:
            raise NotFound("unknown-request", "There is no such request.")
        if row.version != request.version:
            raise Conflict("changed-meanwhile", "Somebody else changed this request meanwhile; look at it again.")
        if Citation.from_dict(row.citation) != request.citation:
            self.session.query(FingerprintRow).filter(FingerprintRow.request == request.number).delete()
            self._name_work(request)
        _fill(row, request)
        row.version = request.version + 1
        self.session.flush()
        return replace(request, version=row.version)

    def _name_work(self, request: DocumentRequest) -> None:
        for name in sorted(set(fingerprints(request.citation))):
            self.session.add(FingerprintRow(request=request.number, fingerprint=name[:400]))
        self.session.flush()

    def of_reader(self, reader_id: str, limit: int, offset: int = 0) -> RequestPage:
        """A reader's own requests, newest first."""
        return self._page(select(RequestRow).where(_of(reader_id)), RequestRow.created_at.desc(), limit, offset)

    def same_work(
        self, fingerprints: Sequence[str], reader_id: str | None, limit: int = 10
    ) -> tuple[DocumentRequest, ...]:
        """Requests that share a fingerprint, newest first; of one reader where ``reader_id`` is given."""
        statement = (
            select(RequestRow)
            .where(
                RequestRow.number.in_(
                    select(FingerprintRow.request).where(
                        FingerprintRow.fingerprint.in_([name[:400] for name in fingerprints])
                    )
                )
            )
            .order_by(RequestRow.created_at.desc())
            .limit(limit)
        )
        if reader_id is not None:
            statement = statement.where(_of(reader_id))
        return tuple(as_request(row) for row in self.session.scalars(statement))

    def queue(self, wanted: QueueFilter) -> RequestPage:
        """What a librarian sees, the oldest first; closed views the newest first."""
        statement = select(RequestRow)
        conditions = [_view(wanted)]
        if wanted.library_id:
            conditions.append(RequestRow.library_id == wanted.library_id)
        if wanted.assignee_id == "none":
            conditions.append(RequestRow.assignee_id.is_(None))
        elif wanted.assignee_id:
            conditions.append(RequestRow.assignee_id == wanted.assignee_id)
        if wanted.language:
            conditions.append(RequestRow.language == wanted.language)
        if wanted.text:
            text = wanted.text.strip()
            conditions.append(
                or_(
                    RequestRow.number == text.upper(),
                    RequestRow.delivery == text.upper(),
                    _contains(RequestRow.title, text),
                )
            )
        statement = statement.where(*conditions)
        oldest_first = wanted.view in {"open", "desk", "mine", "approval"}
        order = RequestRow.created_at.asc() if oldest_first else RequestRow.changed_at.desc()
        return self._page(statement, order, wanted.limit, wanted.offset)

    def counts(self, library_id: str = "") -> Mapping[str, int]:
        """Requests by state; "approval" counts those that wait for a rights officer."""
        statement = select(RequestRow.state, RequestRow.hold, func.count()).group_by(RequestRow.state, RequestRow.hold)
        if library_id:
            statement = statement.where(RequestRow.library_id == library_id)
        counts: dict[str, int] = {state.value: 0 for state in State} | {"approval": 0}
        for state, hold, count in self.session.execute(statement):
            counts["approval" if hold == "approval" else state] += count
        return counts

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
        total = self.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        rows = self.session.scalars(statement.order_by(order, RequestRow.number).limit(limit).offset(offset))
        return RequestPage(tuple(as_request(row) for row in rows), total)


def _of(reader_id: str) -> ColumnElement[bool]:
    return RequestRow.number.in_(select(ReaderLinkRow.request).where(ReaderLinkRow.reader_id == reader_id))


def _contains(column: Any, text: str) -> Any:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")


def _view(wanted: QueueFilter) -> ColumnElement[bool]:
    waiting = [state.value for state in OPEN]
    match wanted.view:
        case "desk" | "mine":
            return RequestRow.state == State.AT_DESK.value
        case "approval":
            return (RequestRow.state == State.NEW.value) & (RequestRow.hold != "")
        case "supplied":
            return RequestRow.state.in_([State.SUPPLIED.value, State.EXPIRED.value])
        case "closed":
            return RequestRow.state.in_([State.UNFILLED.value, State.REFUSED.value, State.CANCELLED.value])
        case "all":
            return RequestRow.number.is_not(None)
        case _:
            return RequestRow.state.in_(waiting)


def _fill(row: RequestRow, request: DocumentRequest) -> None:
    for name in PLAIN:
        setattr(row, name, getattr(request, name))
    if not request.reader_key:
        row.link = None
    elif row.link is None:
        row.link = ReaderLinkRow(reader_id=request.reader_id, reader_key=request.reader_key)
    else:
        row.link.reader_id, row.link.reader_key = request.reader_id, request.reader_key
    row.state = request.state.value
    row.typed, row.citation = dict(request.typed), request.citation.to_dict()
    row.title = request.citation.title or request.citation.chapter or request.citation.container
    row.found, row.decision = dict(request.found), dict(request.decision)


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
