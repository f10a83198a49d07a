"""Legal holds, acts of two persons and rounds of forgetting in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, delete, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, NotFound
from delivery.lifecycle import CLOSED, State
from delivery.privacy import ActKind, HoldKind, LegalHold, RetentionRound, Rewrite, TwoPersonAct
from storage.checks.asking import stream
from storage.models import (
    ActRow,
    DeclarationRow,
    DeliveryRow,
    FeeRow,
    HoldRow,
    IdempotencyRow,
    JointReaderRow,
    LedgerRow,
    LockRow,
    MessageRow,
    PersonRow,
    ReaderLinkRow,
    RequestRow,
    RoundRow,
    TryRow,
    UsageChangeRow,
    UsageRow,
    WindowRow,
    WorkRow,
)
from storage.models.columns import AsKept
from storage.models.packing import plain
from storage.repeated import SEVERAL, counts_for, mark_of, source_sha256
from storage.requests import as_request
from storage.undoing import rewritten

Value = TypeVar("Value", LegalHold, TwoPersonAct, RetentionRound)


class SqlPrivacy:
    """What may be known for how long."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def _keep(self, kind: Any, value: Value) -> Value:
        row = kind(**{field.name: getattr(value, field.name) for field in fields(value) if field.name != "id"})
        self.session.add(row)
        self.session.flush()
        return replace(value, id=row.id)

    def _row(self, kind: Any, row_id: int) -> Any:
        row = self.session.get(kind, row_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound("unknown-act", "There is no such act.")
        return row

    def place_hold(self, hold: LegalHold) -> LegalHold:
        """Enter a hold."""
        return self._keep(HoldRow, hold)

    def lift_hold(self, hold_id: int, by: str, at: datetime) -> LegalHold:
        """End a hold; it stays on record. Conflict when it was lifted before."""
        row = self._row(HoldRow, hold_id)
        if row.lifted_at is not None:
            raise Conflict("hold-lifted", "This hold was lifted before.")
        row.lifted_by, row.lifted_at = by, at
        self.session.flush()
        return _hold(row)

    def holds(self, lifted: bool = False) -> tuple[LegalHold, ...]:
        """The holds in force, newest first; with ``lifted`` those too that were lifted."""
        statement = select(HoldRow).order_by(HoldRow.id.desc())
        rows = self.session.scalars(statement if lifted else statement.where(HoldRow.lifted_at.is_(None)))
        return tuple(_hold(row) for row in rows)

    def ask(self, act: TwoPersonAct) -> TwoPersonAct:
        """Enter an act."""
        return self._keep(ActRow, act)

    def act(self, act_id: int) -> TwoPersonAct:
        """One act, held until the transaction ends."""
        return _act(self._row(ActRow, act_id))

    def keep_act(self, act: TwoPersonAct) -> None:
        """Keep the answer to an act."""
        row = self._row(ActRow, act.id)
        row.answer, row.answered_by, row.answered_at, row.ends_at = (
            act.answer,
            act.answered_by,
            act.answered_at,
            act.ends_at,
        )
        self.session.flush()

    def waiting(self) -> tuple[TwoPersonAct, ...]:
        """Acts that nobody has answered, the oldest first."""
        return tuple(
            _act(row) for row in self.session.scalars(select(ActRow).where(ActRow.answer == "").order_by(ActRow.id))
        )

    def granted(self, kind: ActKind, subject: str, asked_by: str, now: datetime) -> TwoPersonAct | None:
        """The newest act of a kind on a subject that was granted to this officer and has not ended."""
        row = self.session.scalars(
            select(ActRow)
            .where(
                ActRow.kind == kind.value,
                ActRow.subject == subject,
                ActRow.asked_by == asked_by,
                ActRow.answer == "granted",
                or_(ActRow.ends_at.is_(None), ActRow.ends_at > now),
            )
            .order_by(ActRow.id.desc())
        ).first()
        return None if row is None else _act(row)

    def round(self) -> RetentionRound | None:
        """The round that is announced and not carried out."""
        row = self.session.scalars(select(RoundRow).where(RoundRow.done_at.is_(None)).order_by(RoundRow.id)).first()
        return None if row is None else _round(row)

    def announce(self, round_: RetentionRound) -> RetentionRound:
        """Enter a round."""
        return self._keep(RoundRow, round_)

    def keep_round(self, round_: RetentionRound) -> None:
        """Keep how a round goes."""
        row = self._row(RoundRow, round_.id)
        row.due_at, row.done_at, row.removed = round_.due_at, round_.done_at, round_.removed
        self.session.flush()

    def count_removed(self, round_id: int, more: int) -> RetentionRound:
        """Count so many more removals for a round, which is held until the transaction ends; as it is then."""
        row = self._row(RoundRow, round_id)
        row.removed += more
        self.session.flush()
        return _round(row)

    def last_rounds(self, limit: int = 10) -> tuple[RetentionRound, ...]:
        """The rounds that were carried out, newest first."""
        rows = self.session.scalars(
            select(RoundRow).where(RoundRow.done_at.is_not(None)).order_by(RoundRow.id.desc()).limit(limit)
        )
        return tuple(_round(row) for row in rows)

    def closed_with_reader(self, before: datetime, after: str, limit: int) -> tuple[DocumentRequest, ...]:
        """Closed requests last changed before an instant that still name their reader, by number."""
        return self._over(RequestRow.link.has(), before, after, limit)

    def closed_records(self, before: datetime, after: str, limit: int) -> tuple[DocumentRequest, ...]:
        """Closed requests last changed before an instant that name nobody, have no file and were not purged, by number."""
        kept = select(DeliveryRow.number).where(
            DeliveryRow.request == RequestRow.number, DeliveryRow.blob_removed_at.is_(None)
        )
        ours = and_(~RequestRow.link.has(), RequestRow.purged_at.is_(None), ~kept.exists())
        return self._over(ours, before, after, limit)

    def _over(self, ours: ColumnElement[bool], before: datetime, after: str, limit: int) -> tuple[DocumentRequest, ...]:
        # A request whose copy was withdrawn stays supplied; it is over all the same.
        live = select(DeliveryRow.number).where(
            DeliveryRow.request == RequestRow.number, DeliveryRow.state == CopyState.LIVE.value
        )
        over = or_(
            RequestRow.state.in_([state.value for state in CLOSED]),
            and_(RequestRow.state == State.SUPPLIED.value, ~live.exists()),
        )
        rows = self.session.scalars(
            select(RequestRow)
            .where(over, ours, RequestRow.changed_at < before, RequestRow.number > after)
            .order_by(RequestRow.number)
            .limit(limit)
        )
        return tuple(as_request(row) for row in rows)

    def of_reader_key(self, reader_key: str) -> tuple[DocumentRequest, ...]:
        """All requests under a pseudonym."""
        rows = self.session.scalars(
            select(RequestRow)
            .join(ReaderLinkRow, ReaderLinkRow.request == RequestRow.number)
            .where(ReaderLinkRow.reader_key == reader_key)
            .order_by(RequestRow.number)
        )
        return tuple(as_request(row) for row in rows)

    def unlink_reader(self, number: str) -> bool:
        """Take the way from a request to its reader away, with what he typed and what was said. Counts stay as they are.

        False when it was gone already.
        """
        request = self.session.get(RequestRow, number)
        if request is None or request.link is None:
            return False
        request.link, request.typed, request.reason_text, request.purpose = None, {}, "", ""
        # Whoever read the request before must not write its reader back.
        request.version += 1
        self.session.execute(update(FeeRow).where(FeeRow.request == number).values(reader_key="", accepted_by=""))
        self.session.execute(update(DeclarationRow).where(DeclarationRow.request == number).values(reader_key=""))
        self.session.execute(delete(MessageRow).where(MessageRow.request == number))
        self.session.flush()
        return True

    def claims_of(self, number: str) -> Sequence[str]:
        """The claims under which the copies of a request were counted."""
        return self.session.scalars(select(UsageRow.claim).where(UsageRow.request == number)).all()

    def claims_under(self, key: str) -> Sequence[str]:
        """The claims that are counted for a reader, alone or with others."""
        together = select(JointReaderRow.claim).where(JointReaderRow.reader == key)
        ours = or_(UsageRow.reader == key, UsageRow.claim.in_(together))
        return self.session.scalars(select(UsageRow.claim).where(ours).order_by(UsageRow.claim)).all()

    def rewrite_usage(self, claim: str, facts: Rewrite, scope: Callable[[str], str]) -> None:
        """Write what a claim counts as anew, in the record, in its journal and in the ledger's scopes.

        Only what is known of readers may change by it: the columns that say whose it is follow the facts.
        """
        row = self.session.get(UsageRow, claim)
        if row is None:
            return
        lines = self.session.scalars(
            select(UsageChangeRow).where(UsageChangeRow.claim == claim).order_by(UsageChangeRow.id)
        ).all()
        for line, before in zip(lines, rewritten(row.facts, [line.before for line in lines], facts), strict=True):
            line.before = before
        row.facts = dict(facts(row.facts))
        reader = row.facts.get("reader") or {}
        row.reader, row.reader_group = reader.get("id"), reader.get("group")
        self.session.execute(delete(JointReaderRow).where(JointReaderRow.claim == claim))
        for key in dict.fromkeys(row.facts.get("joint_readers") or ()):
            self.session.add(JointReaderRow(claim=claim, reader=str(key)))
        for entry in self.session.scalars(select(LedgerRow).where(LedgerRow.claim == claim)).all():
            entry.scope = scope(entry.scope)
        self.session.flush()

    def rewrite_decision(self, number: str, change: Rewrite) -> None:
        """Write a request's stored decision anew, and what was found for it."""
        row = self.session.get(RequestRow, number)
        if row is not None:
            row.decision, row.found, row.version = dict(change(row.decision)), dict(change(row.found)), row.version + 1
            row.source_sha256, row.counts_for = source_sha256(row.found), counts_for(row.decision, row.found)
            self.session.flush()

    def decisions_naming(self, key: str) -> Sequence[str]:
        """The requests whose stored decision, or what was found for it, names a reader's key: his own, and some of several readers."""
        texts = (type_coerce(column, AsKept) for column in (RequestRow.decision, RequestRow.found))
        asked = RequestRow.counts_for.in_([mark_of(key), SEVERAL])
        wanted = select(RequestRow.number, *texts).where(asked)
        rows = stream(self.session, wanted)
        return sorted(number for number, *values in rows if any(key in plain(value) for value in values))

    def drop_locks(self, part: str) -> None:
        """Remove the lock rows whose scope names this; whoever needs one makes it again."""
        self.session.execute(delete(LockRow).where(LockRow.scope.contains(part, autoescape=True)))

    def any_nameless(self, library_id: str) -> bool:
        """Whether any request of a library names nobody any longer."""
        found = select(RequestRow.number).where(RequestRow.library_id == library_id, ~RequestRow.link.has()).limit(1)
        return self.session.scalar(found) is not None

    def purge_record(self, number: str, at: datetime) -> bool:
        """Take everything away that a request says, but its number, library, state and times. The ledger and fees stay.

        False when that was done before.
        """
        request = self.session.get(RequestRow, number)
        if request is None or request.purged_at is not None:
            return False
        request.link, request.typed, request.citation, request.found, request.decision = None, {}, {}, {}, {}
        request.title = request.container = request.purpose = request.reason_text = ""
        request.counts_for = request.source_sha256 = None
        request.purged_at, request.version = at, request.version + 1
        for table in (WorkRow, TryRow, MessageRow, DeclarationRow):
            self.session.execute(delete(table).where(table.request == number))
        for copy in self.session.scalars(select(DeliveryRow).where(DeliveryRow.request == number)).all():
            copy.filename, copy.stamp, copy.terms, copy.ended_reason = "", {}, {}, ""
            self.session.execute(delete(WindowRow).where(WindowRow.delivery == copy.number))
        self.session.flush()
        return True

    def signed_declarations(self, after: int, limit: int) -> Sequence[tuple[int, str, str, int]]:
        """Declarations whose signer's name is still sealed in them: id, request, agreement and version."""
        rows = self.session.execute(
            select(
                DeclarationRow.id, DeclarationRow.request, DeclarationRow.agreement, DeclarationRow.agreement_version
            )
            .where(DeclarationRow.signed != b"", DeclarationRow.id > after)
            .order_by(DeclarationRow.id)
            .limit(limit)
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def declarations_of(self, number: str) -> Sequence[int]:
        """The declarations of a request."""
        return self.session.scalars(select(DeclarationRow.id).where(DeclarationRow.request == number)).all()

    def erase_declaration(self, declaration_id: int) -> bool:
        """Take the signer's sealed name out of a declaration; False when there is none in it."""
        row = self.session.get(DeclarationRow, declaration_id)
        if row is None or not row.signed:
            return False
        row.signed, row.reader_key = b"", ""
        self.session.flush()
        return True

    def forget_person(self, person_id: str) -> None:
        """Take a person away: name, address, password, and the salt of his pseudonym. Nothing leads back to him then."""
        row = self.session.get(PersonRow, person_id)
        if row is not None:
            key = row.reader_key
            self.session.execute(update(ActRow).where(ActRow.subject == key).values(subject=""))
            self.session.execute(update(HoldRow).where(HoldRow.target == key).values(target=""))
            self.session.execute(delete(IdempotencyRow).where(IdempotencyRow.person_id == person_id))
            self.session.delete(row)
            self.session.flush()


def _hold(row: HoldRow) -> LegalHold:
    values = {field.name: getattr(row, field.name) for field in fields(LegalHold)}
    return LegalHold(**{**values, "kind": HoldKind(row.kind)})


def _act(row: ActRow) -> TwoPersonAct:
    values = {field.name: getattr(row, field.name) for field in fields(TwoPersonAct)}
    return TwoPersonAct(**{**values, "kind": ActKind(row.kind)})


def _round(row: RoundRow) -> RetentionRound:
    return RetentionRound(**{field.name: getattr(row, field.name) for field in fields(RetentionRound)})
