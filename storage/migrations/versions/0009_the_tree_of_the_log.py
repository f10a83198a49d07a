"""The audit log as a Merkle tree: its edge, full tiles, signed checkpoints, cosignatures, and what we witness for others"""

import sqlalchemy as sa
from alembic import op

from drm.audit.tree import entry_hash, grown
from storage.models.columns import Bytes, Serial, UtcTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

REFUSE = "what the audit log has signed is only added to"
KEPT = ("audit_tiles", "audit_checkpoints", "audit_cosignatures")
BATCH = 10_000


def upgrade() -> None:
    op.add_column('audit_head', sa.Column('frontier', Bytes(2048), server_default='', nullable=False))
    op.add_column('audit_head', sa.Column('hashed', Serial, server_default='0', nullable=False))
    op.create_table('audit_tiles',
    sa.Column('level', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', Serial, autoincrement=False, nullable=False),
    sa.Column('hashes', Bytes(8192), nullable=False),
    sa.Column('root', Bytes(32), nullable=False),
    sa.PrimaryKeyConstraint('level', 'number', name=op.f('pk_audit_tiles'))
    )
    op.create_table('audit_checkpoints',
    sa.Column('size', Serial, autoincrement=False, nullable=False),
    sa.Column('at', UtcTime(timezone=True), nullable=False),
    sa.Column('note', Bytes(), nullable=False),
    sa.PrimaryKeyConstraint('size', name=op.f('pk_audit_checkpoints'))
    )
    op.create_table('audit_cosignatures',
    sa.Column('size', Serial, autoincrement=False, nullable=False),
    sa.Column('place', sa.String(length=255), nullable=False),
    sa.Column('line', sa.Text(), nullable=False),
    sa.Column('at', UtcTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('size', 'place', name=op.f('pk_audit_cosignatures'))
    )
    op.create_table('audit_places',
    sa.Column('place', sa.String(length=255), nullable=False),
    sa.Column('size', Serial, nullable=False),
    sa.Column('tried_at', UtcTime(timezone=True), nullable=False),
    sa.Column('trouble', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('place', name=op.f('pk_audit_places'))
    )
    op.create_table('audit_witnessed',
    sa.Column('origin', sa.String(length=255), nullable=False),
    sa.Column('size', Serial, nullable=False),
    sa.Column('root', Bytes(32), nullable=False),
    sa.Column('note', Bytes(), nullable=False),
    sa.Column('at', UtcTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('origin', name=op.f('pk_audit_witnessed'))
    )
    _refuse_changes()
    _make_head()


def _refuse_changes() -> None:
    """Nobody changes or deletes what was signed, not even by mistake."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_signed_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSE}'; END $$"
        )
        for table in KEPT:
            op.execute(
                f"CREATE TRIGGER {table}_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_signed_change()"
            )
        return
    for table in KEPT:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSE}'); END"
            )


def _make_head() -> None:
    """The tree's edge over the events that are there; no row of theirs is touched."""
    bind = op.get_bind()
    frontier: tuple[bytes, ...] = ()
    count = last = 0
    while True:
        found = bind.execute(
            sa.text("SELECT seq, leaf FROM audit_events WHERE seq > :last ORDER BY seq LIMIT :batch"),
            {"last": last, "batch": BATCH},
        ).all()
        for seq, leaf in found:
            # SQLite lets somebody put text where bytes belong, and rows may be missing: the check of the log names them.
            frontier = grown(frontier, count, entry_hash(leaf.encode() if isinstance(leaf, str) else bytes(leaf)))
            count, last = count + 1, seq
        if len(found) < BATCH:
            break
    head = {"frontier": b"".join(frontier), "hashed": count}
    if bind.execute(sa.text("SELECT count(*) FROM audit_head")).scalar():
        bind.execute(sa.text("UPDATE audit_head SET frontier = :frontier, hashed = :hashed"), head)
    else:
        bind.execute(
            sa.text("INSERT INTO audit_head (id, size, chain, frontier, hashed) VALUES (1, 0, :chain, :frontier, :hashed)"),
            {"chain": bytes(32), **head},
        )


def downgrade() -> None:
    for table in ('audit_witnessed', 'audit_places', *reversed(KEPT)):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_signed_change()")
    op.drop_column('audit_head', 'hashed')
    op.drop_column('audit_head', 'frontier')
