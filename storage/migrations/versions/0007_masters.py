"""Prepared documents, and the tails that make them copies"""

from alembic import op
import sqlalchemy as sa

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('masters',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('source_sha256', sa.String(length=64), nullable=False),
    sa.Column('encrypted', sa.Boolean(), nullable=False),
    sa.Column('only_for', sa.String(length=32), nullable=False),
    sa.Column('engine_version', sa.Integer(), nullable=False),
    sa.Column('key_version', sa.String(length=64), nullable=False),
    sa.Column('blob', sa.Text(), nullable=False),
    sa.Column('record', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('retired_reason', sa.Text(), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_masters'))
    )
    op.create_index('ix_masters_source', 'masters', ['source_sha256', 'encrypted', 'only_for'], unique=False)
    op.create_index('ix_masters_kept', 'masters', ['removed_at', 'made_at'], unique=False)
    op.create_table('tails',
    sa.Column('delivery', sa.String(length=24), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['delivery'], ['deliveries.number'], name=op.f('fk_tails_delivery_deliveries'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('delivery', name=op.f('pk_tails'))
    )
    op.add_column('deliveries', sa.Column('master', sa.String(length=64), server_default='', nullable=False))
    op.add_column('deliveries', sa.Column('base_bytes', sa.BigInteger(), nullable=True))
    op.create_index(op.f('ix_deliveries_master'), 'deliveries', ['master'], unique=False)
    op.create_index(op.f('ix_deliveries_source_sha256'), 'deliveries', ['source_sha256'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_deliveries_source_sha256'), table_name='deliveries')
    op.drop_index(op.f('ix_deliveries_master'), table_name='deliveries')
    op.drop_column('deliveries', 'base_bytes')
    op.drop_column('deliveries', 'master')
    op.drop_table('tails')
    op.drop_table('masters')
