"""Libraries that are conducted for profit, and ISSNs that belong to one title"""

from alembic import op
import sqlalchemy as sa

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('libraries', sa.Column('for_profit', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table('issn_links',
    sa.Column('issn', sa.String(length=8), nullable=False),
    sa.Column('linking', sa.String(length=8), nullable=False),
    sa.Column('origin', sa.String(length=8), nullable=False),
    sa.PrimaryKeyConstraint('issn', name=op.f('pk_issn_links'))
    )
    op.create_index(op.f('ix_issn_links_linking'), 'issn_links', ['linking'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_issn_links_linking'), table_name='issn_links')
    op.drop_table('issn_links')
    op.drop_column('libraries', 'for_profit')
