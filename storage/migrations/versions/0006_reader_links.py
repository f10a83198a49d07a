"""The way from requests and deliveries to their readers in a table of its own; purged records"""

from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('reader_links',
    sa.Column('request', sa.String(length=24), nullable=False),
    sa.Column('reader_id', sa.String(length=32), nullable=True),
    sa.Column('reader_key', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['reader_id'], ['people.id'], name=op.f('fk_reader_links_reader_id_people'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['request'], ['requests.number'], name=op.f('fk_reader_links_request_requests'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('request', name=op.f('pk_reader_links'))
    )
    op.create_index(op.f('ix_reader_links_reader_id'), 'reader_links', ['reader_id'], unique=False)
    op.create_index(op.f('ix_reader_links_reader_key'), 'reader_links', ['reader_key'], unique=False)
    # A request that names nobody was unlinked before, and its key goes too: with it the reader could be found.
    op.execute("INSERT INTO reader_links (request, reader_id, reader_key) SELECT number, reader_id, reader_key FROM requests WHERE reader_id IS NOT NULL")
    op.execute("UPDATE fees SET reader_key = '' WHERE request NOT IN (SELECT request FROM reader_links)")
    op.execute("UPDATE declarations SET reader_key = '' WHERE request NOT IN (SELECT request FROM reader_links)")
    op.execute("UPDATE fees SET accepted_by = '' WHERE request NOT IN (SELECT request FROM reader_links)")
    op.execute("UPDATE requests SET reader_id = NULL, reader_key = ''")
    op.execute("UPDATE deliveries SET reader_id = NULL, reader_key = ''")
    op.add_column('requests', sa.Column('purged_at', sa.DateTime(timezone=True), nullable=True))
    op.drop_index('ix_requests_reader', table_name='requests')
    op.drop_index('ix_requests_reader_key', table_name='requests')


def downgrade() -> None:
    op.drop_column('requests', 'purged_at')
    op.create_index('ix_requests_reader', 'requests', ['reader_id', 'created_at'], unique=False)
    op.create_index('ix_requests_reader_key', 'requests', ['reader_key', 'created_at'], unique=False)
    op.execute("UPDATE requests SET reader_id = (SELECT reader_id FROM reader_links WHERE reader_links.request = requests.number)")
    op.execute("UPDATE deliveries SET reader_id = (SELECT reader_id FROM reader_links WHERE reader_links.request = deliveries.request)")
    op.execute("UPDATE requests SET reader_key = COALESCE((SELECT reader_key FROM reader_links WHERE reader_links.request = requests.number), '')")
    op.execute("UPDATE deliveries SET reader_key = COALESCE((SELECT reader_key FROM reader_links WHERE reader_links.request = deliveries.request), '')")
    op.drop_index(op.f('ix_reader_links_reader_key'), table_name='reader_links')
    op.drop_index(op.f('ix_reader_links_reader_id'), table_name='reader_links')
    op.drop_table('reader_links')
