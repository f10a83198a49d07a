"""The journal of usage tells what a change made otherwise, instead of all facts a second time; what nobody read goes."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.models.packing import packed, unpacked
from storage.undoing import states, undo

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CLAIMS = 500


def upgrade() -> None:
    """Claim by claim along their index: what a line says of the facts behind it becomes what they were before it."""
    op.add_column("usage_journal", sa.Column("before", _packed_type()))
    for claims in _claims("facts"):
        changed = []
        for _, lines in claims:
            known: Any = None
            for number, said, _ in lines:
                now = known if said is None else unpacked(said)
                before = None if known is None or now is None else undo(now, known)
                if before:
                    changed.append({"number": number, "value": packed(before)})
                known = now
        _write("before", changed)
    op.drop_column("usage_journal", "facts")
    op.drop_column("usage_records", "recorded_at")


def _packed_type() -> sa.types.TypeEngine[Any]:
    """The type of packed values: on SQLite under the name that such columns always had."""
    return sa.LargeBinary() if op.get_bind().dialect.name == "postgresql" else sa.JSON()


def _claims(column: str) -> Iterator[list[tuple[str, list[tuple[int, Any, Any]]]]]:
    """The lines of some claims at a time with the facts that their records have now, each claim's oldest first."""
    last = ""
    some = "SELECT DISTINCT claim FROM usage_journal WHERE claim > :last ORDER BY claim LIMIT :most"
    wanted = (
        f"SELECT j.claim, j.id, j.{column}, u.facts FROM usage_journal j LEFT JOIN usage_records u ON u.claim = j.claim "  # nosec
        "WHERE j.claim >= :first AND j.claim <= :last ORDER BY j.claim, j.id"
    )
    while True:
        names = list(op.get_bind().execute(sa.text(some), {"last": last, "most": CLAIMS}).scalars())
        if not names:
            return
        last = names[-1]
        rows = op.get_bind().execute(sa.text(wanted), {"first": names[0], "last": last}).all()
        yield [
            (claim, [(number, said, now) for _, number, said, now in lines])
            for claim, lines in groupby(rows, lambda row: row[0])
        ]


def _write(column: str, values: list[dict[str, Any]]) -> None:
    if values:
        op.get_bind().execute(sa.text(f"UPDATE usage_journal SET {column} = :value WHERE id = :number"), values)  # nosec


def downgrade() -> None:
    """The facts behind each line again: all of them with the first line, and where they changed. Records say when they last did."""
    op.add_column("usage_journal", sa.Column("facts", _packed_type()))
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "usage_records", sa.Column("recorded_at", moment, nullable=False, server_default="1970-01-01 00:00:00.000000")
    )
    for claims in _claims("before"):
        changed = []
        for _, lines in claims:
            if lines[0][2] is None:
                continue
            befores = [None if said is None else unpacked(said) for _, said, _ in lines]
            facts = list(states(unpacked(lines[0][2]), befores))[::-1][1:]
            for place, ((number, _, _), now) in enumerate(zip(lines, facts, strict=True)):
                if place == 0 or befores[place]:
                    changed.append({"number": number, "value": packed(now)})
        _write("facts", changed)
    op.execute(
        "UPDATE usage_records SET recorded_at = coalesce("
        "(SELECT max(at) FROM usage_journal WHERE usage_journal.claim = usage_records.claim), requested_at)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("usage_records", "recorded_at", server_default=None)
    op.drop_column("usage_journal", "before")
