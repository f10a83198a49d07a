"""The ledger in SQL: lock rows, entries, and the records that ``decide`` counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from delivery.stores import MOST_COUNTED, HighestUse, LedgerEntry, Slot, UsageRecord
from drm.quota import record_keys
from storage.models import JointReaderRow, LedgerRow, LockRow, UsageChangeRow, UsageRow
from storage.models.columns import UtcTime, may_be_cut
from storage.models.rights import OVERNIGHT, RESERVED
from storage.undoing import states, undo

KEY_COLUMNS = ("entity", "title", "work", "issue", "article", "reader", "reader_group")
Keys = Sequence[tuple[Mapping[str, str | None], datetime | None]]
"""Parts that records share, and since when they count."""

RECORDS, CHANGES, JOINT = (cast("Table", row.__table__) for row in (UsageRow, UsageChangeRow, JointReaderRow))
NEWEST_CHANGE = select(func.max(UsageChangeRow.id))


class SqlLedger:
    """Reserve, settle, release, refund. There is no arithmetic here: ``drm.policy.decide`` counts."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # A session forgets what nobody holds. The own record is read with the history and changed at the end.
        self._own: UsageRow | None = None

    def _insert(self, table: Any) -> Any:
        return (postgresql.insert if self._dialect == "postgresql" else sqlite.insert)(table)

    @property
    def _dialect(self) -> str:
        return self.session.get_bind().dialect.name

    def lock(self, scopes: Iterable[str]) -> None:
        """Hold the lock rows of these scopes until the transaction ends.

        In sorted sequence, so that two decisions never wait for each other. On SQLite the transaction itself
        (BEGIN IMMEDIATE) is the lock; the rows are written all the same, so that both databases hold the same data.
        """
        wanted = sorted(set(scopes))
        if not wanted:
            return
        rows = self._insert(LockRow).values([{"scope": scope} for scope in wanted])
        # One statement, row by row in the order given. PostgreSQL locks a row that is there even though the condition keeps it
        # as it is, and makes one anew that forgetting a reader takes away meanwhile.
        unchanged = rows.on_conflict_do_update(
            index_elements=["scope"], set_={"scope": rows.excluded.scope}, where=false()
        )
        self.session.execute(unchanged)

    def history(self, keys: Keys, leave_out: str = "") -> tuple[UsageRecord, ...]:
        """Records that may count for any of these (parts, since) pairs, without the claim ``leave_out``.

        May return too much, never too little: ``decide`` filters. A missing part never equals another. What was supplied under no
        agreement, which is open access, takes no slot and is no record here.
        """
        claims = _claims(keys, self._dialect, leave_out)
        if claims is None:
            return ()
        # The record of ``leave_out`` comes along: in this transaction it is not read again.
        rows = self.session.scalars(
            select(UsageRow).where(UsageRow.claim.in_(claims)).order_by(UsageRow.requested_at, UsageRow.claim)
        ).all()
        self._own = next((row for row in rows if row.claim == leave_out), None)
        counting = [row for row in rows if row.status != "cancelled" and row.claim != leave_out]
        return tuple(_record(row) for row in counting if row.under)

    def history_and_head(self, keys: Keys, leave_out: str = "") -> tuple[tuple[UsageRecord, ...], int]:
        """``history`` and ``journal_head`` of one moment, by one statement."""
        claims = _claims(keys, self._dialect)
        if claims is None:
            return (), self.journal_head()
        head = select(func.max(UsageChangeRow.id).label("newest")).subquery()
        rows = self.session.execute(
            select(head.c.newest, UsageRow)
            .select_from(head)
            .outerjoin(
                UsageRow,
                and_(UsageRow.status != "cancelled", UsageRow.claim != leave_out, UsageRow.claim.in_(claims)),
            )
            .order_by(UsageRow.requested_at, UsageRow.claim)
        ).all()
        records = tuple(_record(row) for _, row in rows if row is not None and row.under)
        return records, int(rows[0].newest or 0)

    def enter(self, entry: LedgerEntry) -> bool:
        """Write one line; False when the same (claim, rule, kind) stands already."""
        statement = self._insert(LedgerRow).values(
            claim=entry.claim,
            agreement=entry.slot.agreement,
            rule=entry.slot.rule,
            scope=entry.slot.scope,
            kind=entry.kind,
            at=entry.at,
            actor=entry.actor,
            reason=entry.reason,
        )
        # What is returned tells, not the count of rows: PostgreSQL's driver gives none for such a statement.
        entered = self.session.scalar(statement.on_conflict_do_nothing().returning(LedgerRow.id))
        return entered is not None

    def settle(self, claim: str, at: datetime) -> None:
        """Settle every slot that this claim reserved and neither settled nor gave back, by one statement."""
        closed = select(LedgerRow.rule).where(LedgerRow.claim == claim, LedgerRow.kind != "reserve")
        held = (
            select(
                LedgerRow.claim,
                LedgerRow.agreement,
                LedgerRow.rule,
                LedgerRow.scope,
                literal("settle"),
                literal(at, UtcTime),
                literal("system"),
                literal(""),
            )
            .where(LedgerRow.claim == claim, LedgerRow.kind == "reserve", LedgerRow.rule.not_in(closed))
            .order_by(LedgerRow.id)
        )
        columns = ["claim", "agreement", "rule", "scope", "kind", "at", "actor", "reason"]
        self.session.execute(self._insert(LedgerRow).from_select(columns, held).on_conflict_do_nothing())

    def entries(self, claim: str) -> tuple[LedgerEntry, ...]:
        """All lines of a claim, oldest first."""
        rows = self.session.scalars(select(LedgerRow).where(LedgerRow.claim == claim).order_by(LedgerRow.id))
        return tuple(
            LedgerEntry(row.claim, Slot(row.agreement, row.rule, row.scope), row.kind, row.at, row.actor, row.reason)
            for row in rows
        )

    def put_record(self, record: UsageRecord, at: datetime, *, first: bool = False) -> None:
        """Add or change what a claim counts as. ``first`` says that this claim has no record: one that stands is a Conflict."""
        if first:
            self.session.execute(RECORDS.insert(), {"claim": record.claim, **_values(record)})
            known = None
        else:
            known = self._change(record)
        self._keep_joint(record, known or {})
        self._keep_change(record, known, at)

    def _change(self, record: UsageRecord) -> Mapping[str, object] | None:
        """Keep a record that may stand already; the facts that it had, None where none stood."""
        row = self.session.get(UsageRow, record.claim)
        before = None if row is None else dict(row.facts)
        row = row or UsageRow(claim=record.claim)
        for name, value in _values(record).items():
            setattr(row, name, value)
        self.session.add(row)
        self.session.flush()
        return before

    def _keep_joint(self, record: UsageRecord, before: Mapping[str, object]) -> None:
        """Who asked together, where that changed; the record's facts have always said the same as these rows."""
        joint = _joint(record.facts)
        if joint == _joint(before):
            return
        self.session.execute(delete(JointReaderRow).where(JointReaderRow.claim == record.claim))
        if joint:
            self.session.execute(JOINT.insert(), [{"claim": record.claim, "reader": reader} for reader in joint])

    def _keep_change(self, record: UsageRecord, known: Mapping[str, object] | None, at: datetime) -> None:
        """A line of the journal: what the record says from now on, and what was otherwise in the facts that it had until now."""
        before = None if known is None else undo(record.facts, known) or None
        line = {"claim": record.claim, "status": record.status, "under": list(record.under), "before": before}
        self.session.execute(CHANGES.insert(), {**line, "filled_at": record.filled_at, "at": at})

    def journal_head(self) -> int:
        """The number of the newest change of a usage record; what a decision saw lies at or below it."""
        return int(self.session.scalar(NEWEST_CHANGE) or 0)

    def history_at(self, keys: Keys, head: int, leave_out: str = "") -> tuple[UsageRecord, ...]:
        """Like ``history``, as it was when the journal ended at ``head``.

        Whoever holds the locks of these scopes when he reads the head has seen every change at or below it: others that were
        given smaller numbers and committed later belong to other scopes, which ``decide`` leaves out.
        """
        claims = _claims([(parts, None) for parts, _ in keys], self._dialect)
        if claims is None:
            return ()
        rows = self.session.scalars(
            select(UsageRow).where(UsageRow.claim != leave_out, UsageRow.claim.in_(claims))
        ).all()
        then = (self._at(row, head) for row in rows)
        found = [record for record in then if record is not None and record.under and record.status != "cancelled"]
        return tuple(sorted(found, key=lambda record: (record.requested_at, record.claim)))

    def _at(self, row: UsageRow, head: int) -> UsageRecord | None:
        changes = self.session.scalars(
            select(UsageChangeRow).where(UsageChangeRow.claim == row.claim).order_by(UsageChangeRow.id)
        ).all()
        seen = [change for change in changes if change.id <= head]
        if not seen:
            return None
        *_, facts = states(row.facts, [change.before for change in changes if change.id > head])
        last = seen[-1]
        return replace(_record(row), status=last.status, under=tuple(last.under), facts=facts, filled_at=last.filled_at)

    def record(self, claim: str) -> UsageRecord | None:
        """What a claim counts as now."""
        row = self.session.get(UsageRow, claim)
        return None if row is None else _record(row)

    def filled_between(self, since: datetime, until: datetime) -> tuple[UsageRecord, ...]:
        """What was supplied and still counts, filled in [since, until), oldest first."""
        rows = self.session.scalars(
            select(UsageRow)
            .where(UsageRow.status == "filled", UsageRow.filled_at >= since, UsageRow.filled_at < until)
            .order_by(UsageRow.filled_at, UsageRow.claim)
        )
        return tuple(_record(row) for row in rows)

    def used_since(self, since: datetime | None) -> tuple[UsageRecord, ...]:
        """Every record asked for or filled since an instant (None: ever), whatever became of it, and all that is set aside now."""
        rows = self.session.scalars(
            select(UsageRow).where(*_since(since)).order_by(UsageRow.requested_at, UsageRow.claim)
        )
        return tuple(_record(row) for row in rows)

    def usage(self, scope: str, rule: str) -> int:
        """Slots held or settled under one scope of a rule: reserves less releases and refunds."""
        rows = self.session.execute(
            select(LedgerRow.kind, func.count())
            .where(LedgerRow.rule == rule, LedgerRow.scope == scope)
            .group_by(LedgerRow.kind)
        )
        counts: dict[str, int] = {str(row[0]): int(row[1]) for row in rows}
        return counts.get("reserve", 0) - counts.get("release", 0) - counts.get("refund", 0)

    def highest(self, rule: str) -> HighestUse:
        """The most slots held or settled under one scope of a rule, and how many scopes hold any.

        So many lines are read as lists count, along the index by scope; of a scope that was cut off, what was given back comes first.
        """
        lines = select(LedgerRow.scope, LedgerRow.kind).where(LedgerRow.rule == rule)
        few = lines.order_by(LedgerRow.scope, LedgerRow.kind).limit(MOST_COUNTED).subquery()
        held = func.sum(case((few.c.kind == "reserve", 1), (few.c.kind.in_(["release", "refund"]), -1), else_=0))
        rows = self.session.execute(select(held, func.count()).group_by(few.c.scope)).all()
        found = [int(number) for number, _ in rows if number > 0]
        return HighestUse(max(found, default=0), len(found), sum(count for _, count in rows) < MOST_COUNTED)


def _claims(keys: Keys, dialect: str, *more: str) -> CompoundSelect[str] | None:
    """The claims that any of these pairs may mean, and those named beside; None where there are no pairs.

    One SELECT for each index that finds them: behind an OR both databases would read every record there is.
    """
    if not keys:
        return None
    return union(
        *(arm for parts, since in keys for arm in _arms(parts, since, dialect)),
        *(select(UsageRow.claim).where(UsageRow.claim == claim) for claim in more),
    )


def _since(since: datetime | None) -> list[ColumnElement[bool]]:
    if since is None:
        return []
    # An open reservation counts in the current window, however old it is.
    return [or_(UsageRow.requested_at >= since, UsageRow.filled_at >= since, UsageRow.status == "reserved")]


def _arms(parts: Mapping[str, str | None], since: datetime | None, dialect: str) -> list[Select[str]]:
    conditions: list[Any] = []
    for name, value in parts.items():
        if value is None:
            return [select(UsageRow.claim).where(false())]
        if name != "reader":
            conditions.append(getattr(UsageRow, name) == value)
    if "reader" not in parts:
        return [select(UsageRow.claim).where(*conditions, *when) for when in _windows(since, dialect)]
    every = select(UsageRow.claim).where(*conditions, *_since(since))
    together = every.join(JointReaderRow, JointReaderRow.claim == UsageRow.claim)
    return [every.where(UsageRow.reader == parts["reader"]), together.where(JointReaderRow.reader == parts["reader"])]


def _windows(since: datetime | None, dialect: str) -> list[list[Any]]:
    """``_since`` in three parts, each of which an index finds: what a library or a title had before is long, and not read.

    What was filled since then was asked for on the same day in UTC, or is one of the few that waited overnight.
    """
    if since is None:
        return [[]]
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [
        [UsageRow.requested_at >= day, *_since(since)],
        [OVERNIGHT[dialect], UsageRow.filled_at >= since],
        [RESERVED],
    ]


def copies_in(facts: Mapping[str, object]) -> int:
    """How many copies were asked for at once; one where nothing is said."""
    request = facts.get("request")
    copies = request.get("copies") if isinstance(request, Mapping) else None
    return int(copies) if isinstance(copies, int | float) and copies == int(copies) else 1


def _joint(facts: Mapping[str, object]) -> tuple[str, ...]:
    joint = facts.get("joint_readers")
    return tuple(dict.fromkeys(str(reader) for reader in (joint if isinstance(joint, list | tuple) else ())))


def _values(record: UsageRecord) -> dict[str, Any]:
    """What the row of a record says of it, without its claim."""
    return {
        "request": record.request,
        "library_id": record.library_id,
        "status": record.status,
        "under": list(record.under),
        "facts": dict(record.facts),
        "copies": copies_in(record.facts),
        **{column: record.keys.get(column) for column in KEY_COLUMNS},
        "requested_at": record.requested_at,
        "filled_at": record.filled_at,
    }


def _keys(row: UsageRow) -> Mapping[str, str | None]:
    """The parts of a record's scopes. One too long for its column follows from the facts, as when it was kept."""
    keys: dict[str, str | None] = {column: getattr(row, column) for column in KEY_COLUMNS}
    cut = [column for column, value in keys.items() if value and may_be_cut(value)]
    return {**keys, **{name: value for name, value in record_keys(row.facts).items() if name in cut}} if cut else keys


def _record(row: UsageRow) -> UsageRecord:
    return UsageRecord(
        claim=row.claim,
        request=row.request,
        library_id=row.library_id,
        status=row.status,
        under=tuple(row.under),
        facts=row.facts,
        keys=_keys(row),
        requested_at=row.requested_at,
        filled_at=row.filled_at,
    )
