"""Indexes that others hold as well, or that nothing reads, go; those of jobs hold what is not done."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NOT_DONE = sa.text("state != 'done'")
LEASED = sa.text("lease_until IS NOT NULL")


def upgrade() -> None:
    """The lines of a claim are found by the key of (claim, rule, kind); no statement looks for the events of a copy alone."""
    op.drop_index("ix_ledger_claim", table_name="ledger")
    op.drop_index("ix_audit_events_delivery", table_name="audit_events")
    op.drop_index("ix_jobs_due", table_name="jobs")
    op.drop_index("ix_jobs_lease", table_name="jobs")
    op.create_index("ix_jobs_due", "jobs", ["state", "run_after"], sqlite_where=NOT_DONE, postgresql_where=NOT_DONE)
    op.create_index("ix_jobs_lease", "jobs", ["state", "lease_until"], sqlite_where=LEASED, postgresql_where=LEASED)


def downgrade() -> None:
    """All of them as they were."""
    op.drop_index("ix_jobs_lease", table_name="jobs")
    op.drop_index("ix_jobs_due", table_name="jobs")
    op.create_index("ix_jobs_due", "jobs", ["state", "run_after"])
    op.create_index("ix_jobs_lease", "jobs", ["state", "lease_until"])
    op.create_index("ix_audit_events_delivery", "audit_events", ["delivery"])
    op.create_index("ix_ledger_claim", "ledger", ["claim"])
