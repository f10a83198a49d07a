"""Agreements that hold for a library"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, so that the previous release goes on adding libraries.
    op.add_column('libraries', sa.Column('agreements', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'),
                                         server_default='[]', nullable=False))


def downgrade() -> None:
    op.drop_column('libraries', 'agreements')
