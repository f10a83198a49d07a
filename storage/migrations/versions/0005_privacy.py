"""Legal holds, acts of two persons, rounds of forgetting, joint readers, ways to pay"""

from alembic import op
import sqlalchemy as sa

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('fees', sa.Column('way', sa.String(length=32), server_default='library-invoice', nullable=False))
    op.add_column('fees', sa.Column('reference', sa.String(length=128), server_default='', nullable=False))
    op.create_table('legal_holds',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('target', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('set_by', sa.String(length=32), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lifted_by', sa.String(length=32), nullable=False),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_legal_holds'))
    )
    op.create_table('two_person_acts',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('asked_by', sa.String(length=32), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answer', sa.String(length=16), nullable=False),
    sa.Column('answered_by', sa.String(length=32), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_two_person_acts'))
    )
    op.create_index('ix_two_person_acts_subject', 'two_person_acts', ['subject', 'kind'], unique=False)
    op.create_table('retention_rounds',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('announced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('items', sa.Integer(), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention_rounds'))
    )
    op.create_table('usage_joint_readers',
    sa.Column('claim', sa.String(length=32), nullable=False),
    sa.Column('reader', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['claim'], ['usage_records.claim'], name=op.f('fk_usage_joint_readers_claim_usage_records'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('claim', 'reader', name=op.f('pk_usage_joint_readers'))
    )
    op.create_index('ix_usage_joint_readers_reader', 'usage_joint_readers', ['reader'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_usage_joint_readers_reader', table_name='usage_joint_readers')
    op.drop_table('usage_joint_readers')
    op.drop_table('retention_rounds')
    op.drop_index('ix_two_person_acts_subject', table_name='two_person_acts')
    op.drop_table('two_person_acts')
    op.drop_table('legal_holds')
    op.drop_column('fees', 'reference')
    op.drop_column('fees', 'way')
