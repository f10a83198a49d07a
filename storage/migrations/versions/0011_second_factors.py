"""Second factors of staff, and recovery codes"""

from alembic import op
import sqlalchemy as sa

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('second_factors',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=False),
    sa.Column('credential', sa.String(length=2048), nullable=False),
    sa.Column('counter', sa.BigInteger(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_second_factors_person_id_people'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_second_factors'))
    )
    op.create_index(op.f('ix_second_factors_person_id'), 'second_factors', ['person_id'], unique=False)
    op.create_table('recovery_codes',
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_recovery_codes_person_id_people'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'code_hash', name=op.f('pk_recovery_codes'))
    )


def downgrade() -> None:
    op.drop_table('recovery_codes')
    op.drop_table('second_factors')
