"""Between which numbers the events of a day lie, and an index on who acted"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BY_NAME = sa.text("actor NOT IN ('system', 'reader')")
ENTER = "INSERT INTO audit_days (day, first, late) VALUES ({day}, NEW.seq, 0) ON CONFLICT (day) DO UPDATE SET first = excluded.first"
LATE = (
    "UPDATE audit_days SET late = NEW.seq WHERE day = {day} AND late < NEW.seq "
    "AND EXISTS (SELECT 1 FROM audit_days later WHERE later.day > {day});"
)
DAYS = {"sqlite": "substr({at}, 1, 10)", "postgresql": "to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"}


def upgrade() -> None:
    """Make the table and what keeps it: triggers, for earlier releases go on writing events themselves."""
    op.create_table(
        "audit_days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("late", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, server_default="0"),
    )
    op.create_index("ix_audit_events_actor", "audit_events", ["actor", "seq"], sqlite_where=BY_NAME, postgresql_where=BY_NAME)
    dialect = op.get_bind().dialect.name
    of_row, day = DAYS[dialect].format(at="at"), DAYS[dialect].format(at="NEW.at")
    op.execute(f"INSERT INTO audit_days SELECT {of_row}, min(seq), max(seq) FROM audit_events GROUP BY 1")  # nosec - our own words
    if dialect == "postgresql":
        known = "SELECT 1 FROM audit_days WHERE day = today AND first <= NEW.seq"
        enter = f"IF NOT EXISTS ({known}) THEN {ENTER.format(day='today')}; END IF;"
        op.execute(
            "CREATE FUNCTION enter_audit_day() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"DECLARE today text := {day}; BEGIN {enter} {LATE.format(day='today')} RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_events_day AFTER INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION enter_audit_day()"
        )
        return
    enter = f"{ENTER.format(day=day)} WHERE excluded.first < first;"
    op.execute(f"CREATE TRIGGER audit_events_day AFTER INSERT ON audit_events BEGIN {enter} {LATE.format(day=day)} END")


def downgrade() -> None:
    """Take them away."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP TRIGGER audit_events_day" + (" ON audit_events" if postgresql else ""))
    if postgresql:
        op.execute("DROP FUNCTION enter_audit_day()")
    op.drop_index("ix_audit_events_actor", table_name="audit_events")
    op.drop_table("audit_days")
