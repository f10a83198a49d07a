"""Declarations and fees"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_index('ix_usage_filled', 'usage_records', ['status', 'filled_at'], unique=False)
    op.create_table('declarations',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('request', sa.String(length=24), nullable=False),
    sa.Column('rule', sa.String(length=128), nullable=False),
    sa.Column('agreement', sa.String(length=64), nullable=False),
    sa.Column('agreement_version', sa.Integer(), nullable=False),
    sa.Column('jurisdiction', sa.String(length=16), nullable=False),
    sa.Column('library_id', sa.String(length=64), nullable=False),
    sa.Column('reader_key', sa.String(length=32), nullable=False),
    sa.Column('signed', sa.LargeBinary(), nullable=False),
    sa.Column('signed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('statements', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.ForeignKeyConstraint(['library_id'], ['libraries.id'], name=op.f('fk_declarations_library_id_libraries')),
    sa.ForeignKeyConstraint(['request'], ['requests.number'], name=op.f('fk_declarations_request_requests')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_declarations')),
    sa.UniqueConstraint('request', 'rule', name='uq_declarations_request_rule')
    )
    with op.batch_alter_table('declarations', schema=None) as batch_op:
        batch_op.create_index('ix_declarations_signed_at', ['signed_at'], unique=False)
    op.create_table('fees',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('request', sa.String(length=24), nullable=False),
    sa.Column('rule', sa.String(length=128), nullable=False),
    sa.Column('agreement', sa.String(length=64), nullable=False),
    sa.Column('agreement_version', sa.Integer(), nullable=False),
    sa.Column('library_id', sa.String(length=64), nullable=False),
    sa.Column('reader_key', sa.String(length=32), nullable=False),
    sa.Column('amount', sa.String(length=32), nullable=False),
    sa.Column('currency', sa.String(length=8), nullable=False),
    sa.Column('accepted_by', sa.String(length=32), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('standing', sa.String(length=16), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['library_id'], ['libraries.id'], name=op.f('fk_fees_library_id_libraries')),
    sa.ForeignKeyConstraint(['request'], ['requests.number'], name=op.f('fk_fees_request_requests')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fees')),
    sa.UniqueConstraint('request', 'rule', name='uq_fees_request_rule')
    )
    with op.batch_alter_table('fees', schema=None) as batch_op:
        batch_op.create_index('ix_fees_standing', ['standing', 'due_at'], unique=False)


def downgrade() -> None:
    op.drop_table('fees')
    op.drop_table('declarations')
    op.drop_index('ix_usage_filled', 'usage_records')
