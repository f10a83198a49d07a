"""Indexes along which a list of requests is walked in its own order and left after a page."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WAITING = sa.text("state IN ('new', 'fetching', 'at_desk', 'preparing')")
NEWEST = sa.text("changed_at DESC")
KEPT = sa.text("blob_removed_at IS NULL")
ENDED = sa.text("blob_removed_at IS NULL AND state != 'live'")
OLD: Mapping[str, Sequence[str]] = {
    "ix_requests_queue": ["state", "created_at"],
    "ix_requests_library": ["library_id", "state", "created_at"],
    "ix_requests_changed": ["changed_at"],
    "ix_requests_library_changed": ["library_id", "changed_at"],
}
WALKED: Mapping[str, Sequence[str | sa.TextClause]] = {
    "ix_requests_ended": ["state", NEWEST, "number", "language"],
    "ix_requests_library_ended": ["library_id", "state", NEWEST, "number", "language"],
}
FEW: Mapping[str, Sequence[str]] = {
    "ix_requests_waiting": ["state", "created_at", "number"],
    "ix_requests_library_waiting": ["library_id", "state", "created_at", "number"],
}


def upgrade() -> None:
    """Make them in the place of four that were sorted otherwise, or held what is over too; of copies' files, only those to remove."""
    for name in OLD:
        op.drop_index(name, table_name="requests")
    for name, walked in WALKED.items():
        op.create_index(name, "requests", walked)
    for name, waiting in FEW.items():
        op.create_index(name, "requests", waiting, sqlite_where=WAITING, postgresql_where=WAITING)
    op.drop_index("ix_deliveries_files", table_name="deliveries")
    op.create_index("ix_deliveries_files", "deliveries", ["issued_at"], sqlite_where=ENDED, postgresql_where=ENDED)


def downgrade() -> None:
    """Take them away and make the old ones."""
    op.drop_index("ix_deliveries_files", table_name="deliveries")
    op.create_index("ix_deliveries_files", "deliveries", ["state", "issued_at"], sqlite_where=KEPT, postgresql_where=KEPT)
    for name in (*FEW, *WALKED):
        op.drop_index(name, table_name="requests")
    for name, old in OLD.items():
        op.create_index(name, "requests", old)
