"""The works behind requests are known by eight bytes of their names' digests, which one index finds."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BATCH = 2_000


def upgrade() -> None:
    """A table of its own, filled in batches by the old one's key; the names themselves stand in citations."""
    op.create_table(
        "request_works",
        sa.Column("request", sa.String(24), nullable=False),
        sa.Column("work", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request"], ["requests.number"], name="fk_request_works_request_requests", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request", "work", name="pk_request_works"),
        sqlite_with_rowid=False,
    )
    wanted = sa.text(
        "SELECT request, fingerprint FROM request_fingerprints WHERE (request, fingerprint) > (:request, :name) "
        "ORDER BY request, fingerprint LIMIT :most"
    )
    add = sa.text("INSERT INTO request_works (request, work) VALUES (:request, :work) ON CONFLICT DO NOTHING")
    rows = op.get_bind().execute(wanted, {"request": "", "name": "", "most": BATCH}).all()
    while rows:
        op.get_bind().execute(add, [{"request": request, "work": _mark(name)} for request, name in rows])
        request, name = rows[-1]
        rows = op.get_bind().execute(wanted, {"request": request, "name": name, "most": BATCH}).all()
    op.create_index("ix_request_works_work", "request_works", ["work"])
    op.drop_table("request_fingerprints")


def _mark(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def downgrade() -> None:
    """The names again, out of the citations; those that are not said there any more stay unknown."""
    from delivery.citation import Citation, fingerprints
    from storage.models.packing import unpacked

    op.create_table(
        "request_fingerprints",
        sa.Column("request", sa.String(24), nullable=False),
        sa.Column("fingerprint", sa.String(400), nullable=False),
        sa.ForeignKeyConstraint(
            ["request"], ["requests.number"], name="fk_request_fingerprints_request_requests", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request", "fingerprint", name="pk_request_fingerprints"),
    )
    op.create_index("ix_request_fingerprints_fingerprint", "request_fingerprints", ["fingerprint"])
    wanted = sa.text(
        "SELECT number, citation FROM requests WHERE number > :last "
        "AND number IN (SELECT request FROM request_works) ORDER BY number LIMIT :most"
    )
    add = sa.text("INSERT INTO request_fingerprints (request, fingerprint) VALUES (:request, :name)")
    last = ""
    while rows := op.get_bind().execute(wanted, {"last": last, "most": BATCH}).all():
        names = [
            {"request": number, "name": name}
            for number, citation in rows
            for name in sorted({one[:400] for one in fingerprints(Citation.from_dict(unpacked(citation)))})
        ]
        if names:
            op.get_bind().execute(add, names)
        last = rows[-1][0]
    op.drop_table("request_works")
