"""Columns that legal values overflowed are wider, and keys too long for an index are kept as their beginnings and digests."""

import hashlib
import re

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

WIDTHS = (
    ("requests", "approved", 24, 64),
    ("declarations", "jurisdiction", 16, 64),
    ("fees", "amount", 32, 64),
    ("fees", "currency", 8, 64),
    ("fees", "reference", 128, 200),
)
KEYS = {
    "usage_records": ("claim", ("entity", "title", "work", "issue", "article", "reader", "reader_group")),
    "ledger": ("id", ("scope",)),
}
MOST_KEY, MOST_PART = 2_400, 200
PART = re.compile(r"\|(?=(?:entity|title|work|issue|article|reader|reader_group)=)")


def upgrade() -> None:
    """No table of PostgreSQL is written anew for a wider text; SQLite heeds no width. Few rows, if any, have keys so long."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        for table, column, _, wide in WIDTHS:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({wide})")
        op.execute("ALTER TABLE quota_locks ALTER COLUMN scope TYPE text")
    bytes_of = "octet_length({})" if on_postgresql else "length(CAST({} AS BLOB))"
    for table, (key, columns) in KEYS.items():
        for column in columns:
            long = f"SELECT {key}, {column} FROM {table} WHERE {bytes_of.format(column)} > {MOST_KEY}"  # nosec - words of ours
            put = sa.text(f"UPDATE {table} SET {column} = :value WHERE {key} = :key")  # nosec - words of ours
            for row in op.get_bind().execute(sa.text(long)).all():
                op.get_bind().execute(put, {"key": row[0], "value": _bounded(row[1])})
    # Whoever needs a lock's row makes it again.
    op.execute(f"DELETE FROM quota_locks WHERE {bytes_of.format('scope')} > {MOST_KEY}")  # nosec - words of ours


def _bounded(text: str) -> str:
    """See ``storage/models/columns.py`` at this release."""
    return _cut("|".join(_cut(part, MOST_PART) for part in PART.split(text)), MOST_KEY)


def _cut(text: str, most: int) -> str:
    written = text.encode()
    if len(written) <= most:
        return text
    digest = hashlib.sha256(written).hexdigest()
    return f"{written[: most - len(digest) - 1].decode(errors='ignore')}#{digest}"


def downgrade() -> None:
    """The old widths, to which what became longer is cut. Keys stay as they are: the release before has no room for longer ones."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column, narrow, _ in WIDTHS:
            op.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({narrow}) USING left({column}, {narrow})"
            )
        op.execute("DELETE FROM quota_locks WHERE length(scope) > 600")
        op.execute("ALTER TABLE quota_locks ALTER COLUMN scope TYPE varchar(600)")
