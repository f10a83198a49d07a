"""An event's columns are no longer repeated in the bytes kept beside them. Rows that stand are not touched: both forms are read."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BATCH = 2_000
COLUMNS = ("seq", "leaf", "at", "kind", "actor", "library_id", "request", "delivery", "agreements")


def upgrade() -> None:
    """Nothing: what is written from now on is shorter."""


def downgrade() -> None:
    """The whole bytes again, while the triggers that refuse changes stand back: the release before reads no others."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    at = "at" if sqlite else "at AT TIME ZONE 'UTC' AS at"
    names = ", ".join(at if name == "at" else name for name in COLUMNS)
    some = sa.text(f"SELECT {names} FROM audit_events WHERE seq > :last ORDER BY seq LIMIT {BATCH}")  # nosec - names of ours
    put = sa.text("UPDATE audit_events SET leaf = :leaf WHERE seq = :seq")
    triggers = []
    if sqlite:
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
        triggers = [(name, made) for name, made in connection.execute(sa.text(asked)).all()]
        for name, _ in triggers:
            op.execute(f"DROP TRIGGER {name}")
    else:
        op.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
    last = 0
    while rows := connection.execute(some, {"last": last}).all():
        changes = [{"seq": row.seq, "leaf": _whole(row)} for row in rows if not bytes(row.leaf).startswith(b"{")]
        if changes:
            connection.execute(put, changes)
        last = rows[-1].seq
    for _, made in triggers:
        connection.exec_driver_sql(made)
    if not sqlite:
        op.execute("ALTER TABLE audit_events ENABLE TRIGGER USER")


def _whole(row: sa.Row[Any]) -> bytes:
    """An event's canonical JSON: see ``drm/audit/kept.py`` at this release."""
    kept = bytes(row.leaf)
    form, at = kept[0], row.at if isinstance(row.at, datetime) else datetime.fromisoformat(row.at)
    digests = 32 * ((form in (3, 4)) + (form in (2, 4)))
    code, _, counts = kept[1 + digests :].decode().partition("\0")
    content = {"seq": row.seq, "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "kind": row.kind, "actor": row.actor}
    more = {
        "library": row.library_id, "request": row.request, "delivery": row.delivery, "code": code,
        "digest": kept[1:33].hex() if form in (3, 4) else "",
        "facts": kept[1 + digests - 32 : 1 + digests].hex() if form in (2, 4) else "",
        "agreements": row.agreements.split(" ") if row.agreements else [], "counts": json.loads(counts) if counts else {},
    }  # fmt: skip
    content |= {name: value for name, value in more.items() if value}
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
