"""Tallies of acts, the networks of links, alarms; the library card that readers share a count by"""

from alembic import op
import sqlalchemy as sa

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('tallies',
    sa.Column('scope', sa.String(length=64), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('start', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('ends', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('scope', 'seconds', 'start', name=op.f('pk_tallies'))
    )
    op.create_index(op.f('ix_tallies_ends'), 'tallies', ['ends'], unique=False)
    op.create_table('link_networks',
    sa.Column('delivery', sa.String(length=24), nullable=False),
    sa.Column('network', sa.String(length=64), nullable=False),
    sa.Column('seen_at', TIME, nullable=False),
    sa.ForeignKeyConstraint(['delivery'], ['deliveries.number'], name=op.f('fk_link_networks_delivery_deliveries'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('delivery', 'network', name=op.f('pk_link_networks'))
    )
    op.create_index(op.f('ix_link_networks_seen_at'), 'link_networks', ['seen_at'], unique=False)
    op.create_table('alarms',
    sa.Column('id', SERIAL, autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('day', sa.String(length=10), nullable=False),
    sa.Column('library_id', sa.String(length=64), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('first_at', TIME, nullable=False),
    sa.Column('last_at', TIME, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alarms'))
    )
    op.create_index(op.f('ix_alarms_last_at'), 'alarms', ['last_at'], unique=False)
    op.create_index('uq_alarms_subject', 'alarms', ['kind', 'subject', 'day'], unique=True)
    op.add_column('people', sa.Column('card', sa.String(length=32), server_default='', nullable=False))
    op.create_index(op.f('ix_people_card'), 'people', ['card'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_people_card'), table_name='people')
    op.drop_column('people', 'card')
    op.drop_table('alarms')
    op.drop_table('link_networks')
    op.drop_table('tallies')
