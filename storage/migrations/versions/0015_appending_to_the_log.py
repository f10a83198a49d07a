"""A view to append to the audit log through: one INSERT writes the events and moves the head along."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = ("seq", "leaf", "hash", "chain", "at", "kind", "actor", "library_id", "request", "delivery", "agreements")


def upgrade() -> None:
    """Make the view. Nothing is ever read from it; earlier releases go on writing both tables themselves."""
    event = ", ".join(f"event.{name}" for name in COLUMNS)
    view = f"SELECT {event}, head.frontier FROM audit_events event, audit_head head WHERE 1 = 0"  # nosec - column names of ours
    op.execute(f"CREATE VIEW audit_append AS {view}")
    given = ", ".join(f"NEW.{name}" for name in COLUMNS)
    write = f"INSERT INTO audit_events ({', '.join(COLUMNS)}) VALUES ({given});"  # nosec - column names of ours
    # The frontier comes with the last event of a transaction.
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
    """Take it away."""
    op.execute("DROP VIEW audit_append")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION append_audit_event()")
