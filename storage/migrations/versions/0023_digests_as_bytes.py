"""Digests are kept as bytes instead of as twice as many digits, and names of files that follow from them are not kept."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BATCH = 500
COLUMNS = {"deliveries": ("number", ("sha256", "source_sha256", "master")), "masters": ("id", ("id", "source_sha256"))}
SHARED = "blob = 'masters/' || substr(master, 1, 2) || '/' || master || '.pdf'"
SOURCE = re.compile(r"sources/[0-9a-f]{2}/([0-9a-f]{64})\.pdf")
DIGITS = re.compile(r"[0-9a-f]{64}")
TO_BYTES = "CASE WHEN {0} ~ '^[0-9a-f]{{64}}$' THEN decode({0}, 'hex') ELSE convert_to({0}, 'UTF8') END"
TO_TEXT = "CASE WHEN length({0}) = 32 THEN encode({0}, 'hex') ELSE convert_from({0}, 'UTF8') END"


def upgrade() -> None:
    """In the transaction of the migration: one statement for each table of PostgreSQL, batches by key on SQLite."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(f"UPDATE deliveries SET blob = '' WHERE {SHARED}")  # nosec - words of ours
    op.add_column("requests", sa.Column("source_sha256", sa.LargeBinary() if on_postgresql else sa.String(64)))
    for table, (key, columns) in COLUMNS.items():
        if on_postgresql:
            _retyped(table, columns, "bytea", TO_BYTES)
        else:
            _rewritten(table, key, columns, _as_bytes)
    for rows in _batches("requests", "number", "number, source_blob"):
        found = [(number, SOURCE.fullmatch(blob)) for number, blob in rows]
        values = [{"key": number, "value": bytes.fromhex(told[1])} for number, told in found if told]
        _write("UPDATE requests SET source_sha256 = :value WHERE number = :key", values)
    op.drop_column("requests", "source_blob")


def _retyped(table: str, columns: tuple[str, ...], kind: str, using: str) -> None:
    """One statement, so that the table is written anew once."""
    changes = [f"ALTER COLUMN {name} TYPE {kind} USING {using.format(name)}" for name in columns]
    if "master" in columns:
        changes = ["ALTER COLUMN master DROP DEFAULT", *changes, "ALTER COLUMN master SET DEFAULT ''"]
    op.execute(f"ALTER TABLE {table} {', '.join(changes)}")


def _rewritten(table: str, key: str, columns: tuple[str, ...], anew: Callable[[Any], Any]) -> None:
    # By the place of a row and not by its key, which may be what changes.
    names = ", ".join(f"{name} = :{name}" for name in columns)
    for rows in _batches(table, "rowid", f"rowid, {', '.join(columns)}"):
        values = [
            {"key": row[0], **{name: anew(value) for name, value in zip(columns, row[1:], strict=True)}} for row in rows
        ]
        _write(f"UPDATE {table} SET {names} WHERE rowid = :key", values)  # nosec - words of ours


def _batches(table: str, key: str, columns: str) -> Iterator[list[tuple[Any, ...]]]:
    last = None
    while True:
        behind = "" if last is None else f"WHERE {key} > :last"
        wanted = f"SELECT {columns} FROM {table} {behind} ORDER BY {key} LIMIT {BATCH}"  # nosec - words of ours
        rows = [tuple(row) for row in op.get_bind().execute(sa.text(wanted), {} if last is None else {"last": last})]
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        last = rows[-1][0]


def _write(statement: str, values: list[dict[str, Any]]) -> None:
    if values:
        op.get_bind().execute(sa.text(statement), values)


def _as_bytes(value: str) -> bytes:
    return bytes.fromhex(value) if DIGITS.fullmatch(value) else value.encode()


def _as_text(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    return value.hex() if len(value) == 32 else value.decode()


def downgrade() -> None:
    """Digits again, and every name."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column("requests", sa.Column("source_blob", sa.Text(), server_default="", nullable=False))
    for rows in _batches("requests", "number", "number, source_sha256"):
        found = [(number, bytes(digest).hex()) for number, digest in rows if digest is not None]
        values = [{"key": number, "value": f"sources/{digest[:2]}/{digest}.pdf"} for number, digest in found]
        _write("UPDATE requests SET source_blob = :value WHERE number = :key", values)
    op.drop_column("requests", "source_sha256")
    for table, (key, columns) in COLUMNS.items():
        if on_postgresql:
            _retyped(table, columns, "varchar(64)", TO_TEXT)
        else:
            _rewritten(table, key, columns, _as_text)
    op.execute(
        "UPDATE deliveries SET blob = 'masters/' || substr(master, 1, 2) || '/' || master || '.pdf' "
        "WHERE blob = '' AND master <> ''"
    )
