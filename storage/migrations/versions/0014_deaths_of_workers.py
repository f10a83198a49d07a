"""How many workers in a row ended without a word while they had a job."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count; it begins with none."""
    op.add_column("jobs", sa.Column("deaths", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("jobs", "deaths")
