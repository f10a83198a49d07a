"""Values that SQL only hands on are kept packed; what statements look into stands in columns of its own."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.models.packing import packed, plain

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BATCH = 500
COUNTED = sa.text("counts_for IS NOT NULL")
TABLES = {
    "requests": ("number", ("typed", "citation", "found", "decision")),
    "deliveries": ("number", ("stamp", "terms")),
    "usage_records": ("claim", ("facts",)),
    "usage_journal": ("id", ("facts",)),
}
"""Each table's key, and its columns that are packed."""


def upgrade() -> None:
    """Make the columns, and pack what is there, in the transaction of the migration: wholly or not at all.

    SQLite keeps bytes in the columns it has. PostgreSQL gets columns of bytes, which hold plain JSON until they are packed.
    """
    op.add_column("requests", sa.Column("container", sa.Text(), server_default="", nullable=False))
    op.add_column("requests", sa.Column("source_blob", sa.Text(), server_default="", nullable=False))
    op.add_column("requests", sa.Column("counts_for", sa.BigInteger()))
    op.create_index("ix_requests_counts_for", "requests", ["counts_for"], sqlite_where=COUNTED, postgresql_where=COUNTED)
    op.add_column("usage_records", sa.Column("copies", sa.Integer(), server_default="1", nullable=False))
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, (key, columns) in TABLES.items():
        if on_postgresql:
            _retyped(table, columns, "bytea", "convert_to({0}::text, 'UTF8')")
        for rows in _batches(table, key, columns):
            changed = [{"key": row[0], **_packed(table, dict(zip(columns, row[1:], strict=True)))} for row in rows]
            _write(table, key, changed)


def _retyped(table: str, columns: tuple[str, ...], kind: str, using: str) -> None:
    """One statement, so that the table is written anew once."""
    changes = ", ".join(f"ALTER COLUMN {name} TYPE {kind} USING {using.format(name)}" for name in columns)
    op.execute(f"ALTER TABLE {table} {changes}")


def _batches(table: str, key: str, columns: tuple[str, ...]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows by their key: what is written between two batches is behind the next."""
    names, last = ", ".join((key, *columns)), None
    while True:
        behind = "" if last is None else f"WHERE {key} > :last"
        wanted = f"SELECT {names} FROM {table} {behind} ORDER BY {key} LIMIT {BATCH}"  # nosec - names of ours
        rows = [tuple(row) for row in op.get_bind().execute(sa.text(wanted), {} if last is None else {"last": last})]
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        last = rows[-1][0]


def _write(table: str, key: str, rows: list[dict[str, Any]]) -> None:
    names = ", ".join(f"{name} = :{name}" for name in rows[0] if name != "key")
    op.get_bind().execute(sa.text(f"UPDATE {table} SET {names} WHERE {key} = :key"), rows)  # nosec - names of ours


def _packed(table: str, values: dict[str, bytes | str | None]) -> dict[str, Any]:
    """The columns of a row as they are written from now on."""
    said = {name: None if value is None else json.loads(plain(value)) for name, value in values.items()}
    anew: dict[str, Any] = {name: None if values[name] is None else packed(said[name]) for name in values}
    if table == "requests":
        anew |= {"container": _text(said["citation"], "container"), "source_blob": _text(said["found"], "blob")}
        anew["counts_for"] = _mark(said["decision"], said["found"])
    if table == "usage_records":
        anew["copies"] = _copies(said["facts"])
    return anew


def _text(value: object, name: str) -> str:
    return str(value.get(name) or "") if isinstance(value, dict) else ""


def _mark(decision: object, found: object) -> int | None:
    facts = decision.get("facts") if isinstance(decision, dict) else None
    if (isinstance(found, dict) and found.get("joint")) or (isinstance(facts, dict) and facts.get("joint_readers")):
        return 0
    reader = facts.get("reader") if isinstance(facts, dict) else None
    key = reader.get("id") if isinstance(reader, dict) else None
    return int.from_bytes(hashlib.sha256(str(key).encode()).digest()[:8], "big", signed=True) if key else None


def _copies(facts: object) -> int:
    request = facts.get("request") if isinstance(facts, dict) else None
    copies = request.get("copies") if isinstance(request, dict) else None
    return int(copies) if isinstance(copies, int | float) and copies == int(copies) else 1


def downgrade() -> None:
    """Plain JSON again."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, (key, columns) in TABLES.items():
        for rows in _batches(table, key, columns):
            _write(table, key, [{"key": row[0], **_plain(columns, row[1:], on_postgresql)} for row in rows])
        if on_postgresql:
            _retyped(table, columns, "jsonb", "convert_from({0}, 'UTF8')::jsonb")
    op.drop_column("usage_records", "copies")
    op.drop_index("ix_requests_counts_for", table_name="requests")
    op.drop_column("requests", "counts_for")
    op.drop_column("requests", "source_blob")
    op.drop_column("requests", "container")


def _plain(columns: tuple[str, ...], values: tuple[Any, ...], as_bytes: bool) -> dict[str, Any]:
    texts = {name: None if value is None else plain(value) for name, value in zip(columns, values, strict=True)}
    return {name: text.encode() if as_bytes and text is not None else text for name, text in texts.items()}
