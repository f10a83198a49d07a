"""Indexes by which lists and the sweeper read a page and not the whole history"""

from alembic import op
import sqlalchemy as sa

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

KEPT = sa.text('blob_removed_at IS NULL')


def upgrade() -> None:
    op.drop_index('ix_audit_events_kind', table_name='audit_events')
    op.drop_index('ix_audit_events_library', table_name='audit_events')
    op.create_index('ix_audit_events_kind', 'audit_events', ['kind', 'seq'])
    op.create_index('ix_audit_events_library', 'audit_events', ['library_id', 'seq'])
    op.create_index('ix_requests_changed', 'requests', ['changed_at'])
    op.create_index('ix_requests_library_changed', 'requests', ['library_id', 'changed_at'])
    op.drop_index('ix_deliveries_master', table_name='deliveries')
    op.create_index('ix_deliveries_files', 'deliveries', ['state', 'issued_at'], postgresql_where=KEPT, sqlite_where=KEPT)
    op.create_index('ix_deliveries_needing', 'deliveries', ['master'], postgresql_where=KEPT, sqlite_where=KEPT)


def downgrade() -> None:
    op.drop_index('ix_deliveries_needing', table_name='deliveries')
    op.drop_index('ix_deliveries_files', table_name='deliveries')
    op.create_index('ix_deliveries_master', 'deliveries', ['master'])
    op.drop_index('ix_requests_library_changed', table_name='requests')
    op.drop_index('ix_requests_changed', table_name='requests')
    op.drop_index('ix_audit_events_library', table_name='audit_events')
    op.drop_index('ix_audit_events_kind', table_name='audit_events')
    op.create_index('ix_audit_events_kind', 'audit_events', ['kind', 'at'])
    op.create_index('ix_audit_events_library', 'audit_events', ['library_id', 'at'])
