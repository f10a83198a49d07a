"""Indexes by which a limit's window is read without what lies before it, and the ledger by scope without its rows"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

RESERVED = sa.text("status = 'reserved'")
OVERNIGHT = sa.text("substr(filled_at, 1, 10) != substr(requested_at, 1, 10)")
OVERNIGHT_POSTGRESQL = sa.text("(filled_at AT TIME ZONE 'UTC')::date != (requested_at AT TIME ZONE 'UTC')::date")
KEYS = ("entity", "title")


def upgrade() -> None:
    """Make them; each holds only what waits, or waited overnight."""
    for key in KEYS:
        name = f"ix_usage_reserved_{key}"
        op.create_index(name, "usage_records", [key], sqlite_where=RESERVED, postgresql_where=RESERVED)
        op.create_index(
            f"ix_usage_overnight_{key}",
            "usage_records",
            [key, "filled_at"],
            sqlite_where=OVERNIGHT,
            postgresql_where=OVERNIGHT_POSTGRESQL,
        )
    op.drop_index("ix_ledger_rule_scope", table_name="ledger")
    op.create_index("ix_ledger_rule_scope", "ledger", ["rule", "scope", "kind"])


def downgrade() -> None:
    """Take them away and make the old one."""
    op.drop_index("ix_ledger_rule_scope", table_name="ledger")
    op.create_index("ix_ledger_rule_scope", "ledger", ["rule", "scope"])
    for key in KEYS:
        op.drop_index(f"ix_usage_overnight_{key}", table_name="usage_records")
        op.drop_index(f"ix_usage_reserved_{key}", table_name="usage_records")
