"""The hash of an event follows from its bytes, which are never taken away: it is no longer kept beside them."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BATCH = 2_000
COLUMNS = ("seq", "leaf", "chain", "at", "kind", "actor", "library_id", "request", "delivery", "agreements")


def upgrade() -> None:
    """The view to append through is made anew without it. The rows' other bytes stay as they are."""
    _drop_view()
    op.drop_column("audit_events", "hash")
    _make_view(COLUMNS)


def _drop_view() -> None:
    op.execute("DROP VIEW audit_append")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION append_audit_event()")


def _make_view(columns: tuple[str, ...]) -> None:
    """As revision 0015 made it: one INSERT writes the events, and the last moves the head along."""
    event = ", ".join(f"event.{name}" for name in columns)
    view = f"SELECT {event}, head.frontier FROM audit_events event, audit_head head WHERE 1 = 0"  # nosec - column names of ours
    op.execute(f"CREATE VIEW audit_append AS {view}")
    given = ", ".join(f"NEW.{name}" for name in columns)
    write = f"INSERT INTO audit_events ({', '.join(columns)}) VALUES ({given});"  # nosec - column names of ours
    move = (
        "UPDATE audit_head SET size = NEW.seq, chain = NEW.chain, frontier = NEW.frontier, hashed = NEW.seq "
        "WHERE id = 1 AND length(NEW.frontier) > 0;"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION append_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {write} {move} RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_append_event INSTEAD OF INSERT ON audit_append "
            "FOR EACH ROW EXECUTE FUNCTION append_audit_event()"
        )
        return
    op.execute(f"CREATE TRIGGER audit_append_event INSTEAD OF INSERT ON audit_append BEGIN {write} {move} END")


def downgrade() -> None:
    """The hashes again, out of the bytes, while the triggers that refuse changes stand back."""
    _drop_view()
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("audit_events", sa.Column("hash", sa.LargeBinary()))
        op.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
        op.execute("UPDATE audit_events SET hash = sha256(leaf)")
        op.execute("ALTER TABLE audit_events ENABLE TRIGGER USER")
        op.alter_column("audit_events", "hash", nullable=False)
    else:
        _hashes_on_sqlite()
    _make_view(("seq", "leaf", "hash", *COLUMNS[2:]))


def _hashes_on_sqlite() -> None:
    connection = op.get_bind()
    op.add_column("audit_events", sa.Column("hash", sa.LargeBinary(32), nullable=False, server_default=""))
    asked = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
    triggers = connection.execute(sa.text(asked)).all()
    for name, _ in triggers:
        op.execute(f"DROP TRIGGER {name}")
    some = sa.text(f"SELECT seq, leaf FROM audit_events WHERE seq > :last ORDER BY seq LIMIT {BATCH}")  # nosec
    put = sa.text("UPDATE audit_events SET hash = :hash WHERE seq = :seq")
    last = 0
    while rows := connection.execute(some, {"last": last}).all():
        connection.execute(put, [{"seq": seq, "hash": hashlib.sha256(leaf).digest()} for seq, leaf in rows])
        last = rows[-1][0]
    for _, made in triggers:
        connection.exec_driver_sql(made)
