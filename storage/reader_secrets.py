"""Readers' secrets, in a database of their own: apart from the ledger, and from the backups of the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine, String, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from drm.pseudonyms import ledger_key, new_secret
from storage.engine import Bounds, DatabaseFailure, open_engine
from storage.models import PersonRow, UsageRow
from storage.models.columns import Bytes


class SecretBase(DeclarativeBase):
    """The tables of this database; they are no part of the schema that migrations care for."""


class SecretRow(SecretBase):
    """One reader's secret. ``key`` stands only where he was counted under another key before he had one."""

    __tablename__ = "reader_secrets"
    person_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret: Mapped[bytes] = mapped_column(Bytes(64))
    key: Mapped[str] = mapped_column(String(64), default="")


MAKING = 0x527573684C
"""The advisory lock of whoever makes the table."""

FIND = select(SecretRow.secret, SecretRow.key).where(SecretRow.person_id == bindparam("person"))


class ReaderSecrets:
    """The database of secrets. Nothing is connected before the first use."""

    def __init__(self, url: str, bounds: Bounds | None = None) -> None:
        self.url = url
        self.engine: Engine = open_engine(url, bounds)
        self._ready = False

    def _prepared(self) -> Engine:
        """The engine, its one table made where it is missing; a SQLite file is its owner's alone."""
        if not self._ready:
            path = make_url(self.url).database
            if self.engine.dialect.name == "sqlite" and path and not Path(path).exists():
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            with self.engine.execution_options(rushlight_write=True).begin() as connection:
                if self.engine.dialect.name == "postgresql":
                    # Of two that make a table at once PostgreSQL lets one fail, even IF NOT EXISTS.
                    connection.execute(select(func.pg_advisory_xact_lock(MAKING)))
                SecretBase.metadata.create_all(connection)
            self._ready = True
        return self.engine

    def check(self) -> int:
        """How many secrets are kept; the database's own error where it does not answer."""
        with Session(self._prepared()) as session:
            return session.scalar(select(func.count()).select_from(SecretRow)) or 0

    def find(self, person_id: str) -> str | None:
        """The key of a reader who has a secret."""
        with self._prepared().connect() as connection:
            row = connection.execute(FIND, {"person": person_id}).one_or_none()
            return None if row is None else row.key or ledger_key(row.secret, person_id)

    def make(self, person_id: str, key: str = "") -> None:
        """Give a reader a secret. Of two who do so at once one wins, and both find the same afterwards."""
        engine = self._prepared().execution_options(rushlight_write=True)
        insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        with engine.begin() as connection:
            fresh = insert(SecretRow).values(person_id=person_id, secret=new_secret(), key=key)
            connection.execute(fresh.on_conflict_do_nothing())

    def destroy(self, people: Iterable[str]) -> int:
        """Destroy secrets for good; returns how many there were. On SQLite the place they stood in is written over."""
        engine = self._prepared().execution_options(rushlight_write=True)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            gone = connection.execute(delete(SecretRow).where(SecretRow.person_id.in_(list(people)))).rowcount
        if gone and engine.dialect.name == "sqlite":
            # The write-ahead log still holds the old page until it is written back and cut.
            raw = self.engine.raw_connection()
            try:
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()
        return gone

    def people(self) -> frozenset[str]:
        """Everybody who has a secret."""
        with Session(self._prepared()) as session:
            return frozenset(session.scalars(select(SecretRow.person_id)))


def counts_somebody(engine: Engine) -> bool:
    """Whether the ledger of a database counts any reader; False too where there is no ledger yet."""
    try:
        with Session(engine) as session:
            return session.scalar(select(UsageRow.claim).where(UsageRow.reader.is_not(None)).limit(1)) is not None
    except DatabaseFailure:
        return False


class SqlReaderSecrets:
    """The secrets as a transaction sees them. They are destroyed only after it is durable."""

    def __init__(self, session: Session, secrets: ReaderSecrets) -> None:
        self.session = session
        self.secrets = secrets
        self.doomed: set[str] = set()

    def key_of(self, person_id: str) -> str:
        """The key a reader is counted under; his secret is made when he is counted for the first time."""
        owner = self._owner(person_id)
        found = self.secrets.find(owner)
        if found is None:
            self.secrets.make(owner, self._key_before(person_id) if owner == person_id else "")
            found = self.secrets.find(owner)
        assert found is not None
        return found

    def _owner(self, person_id: str) -> str:
        """Whose secret a reader is counted by: all accounts of one library card share one."""
        person = self.session.get(PersonRow, person_id)
        return person_id if person is None else person.card or person_id

    def shared(self, person_id: str) -> bool:
        """Whether another account is counted by the same library card."""
        card = self._owner(person_id)
        others = select(PersonRow.id).where(PersonRow.card == card, PersonRow.id != person_id).limit(1)
        return card != person_id and self.session.scalar(others) is not None

    def _key_before(self, person_id: str) -> str:
        """The key of rows from before there were secrets: they keep counting for him under it."""
        person = self.session.get(PersonRow, person_id)
        if person is None:
            return ""
        known = select(UsageRow.claim).where(UsageRow.reader == person.reader_key).limit(1)
        return person.reader_key if self.session.scalar(known) is not None else ""

    def destroy(self, person_id: str) -> None:
        """Destroy a reader's secret as soon as this transaction is durable; to be called before his account goes."""
        if not self.shared(person_id):
            self.doomed.add(self._owner(person_id))

    def destroy_ownerless(self) -> int:
        """Destroy the secrets of people who are no longer there: what a process that died in between has left behind."""
        known = self.secrets.people()
        gone = known - frozenset(self.session.scalars(select(PersonRow.id).where(PersonRow.id.in_(known))))
        gone -= frozenset(self.session.scalars(select(PersonRow.card).where(PersonRow.card.in_(gone))))
        self.doomed |= gone
        return len(gone)
