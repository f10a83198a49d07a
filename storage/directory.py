"""Libraries and people in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, select, true
from sqlalchemy.orm import Session

from delivery.errors import NotFound
from delivery.people import Library, Person, Role, Standing
from storage.models import LibraryRow, OutsideIdentityRow, PersonRow

ONLY_READER = '["reader"]'
"""The roles of somebody who only reads, as both databases write them."""


def email_key(email: str) -> str:
    """How addresses are compared: without case and outer blanks."""
    return email.strip().casefold()


class SqlLibraries:
    """Member libraries."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, library_id: str) -> Library:
        """One library, else NotFound."""
        row = self.session.get(LibraryRow, library_id)
        if row is None:
            raise NotFound("unknown-library", f"There is no library {library_id!r}.")
        return as_library(row)

    def all(self) -> tuple[Library, ...]:
        """All libraries by name."""
        return tuple(as_library(row) for row in self.session.scalars(select(LibraryRow).order_by(LibraryRow.name)))

    def save(self, library: Library) -> None:
        """Add or change a library."""
        row = self.session.get(LibraryRow, library.id) or LibraryRow(id=library.id)
        row.name, row.name_zh, row.isil = library.name, library.name_zh, library.isil
        row.country, row.tz, row.language = library.country, library.tz, library.language
        row.email, row.url, row.phone, row.group_id = library.email, library.url, library.phone, library.group
        row.agreements, row.for_profit = list(library.agreements), library.for_profit
        self.session.add(row)
        self.session.flush()


def as_library(row: LibraryRow) -> Library:
    return Library(
        id=row.id,
        name=row.name,
        name_zh=row.name_zh,
        country=row.country,
        tz=row.tz,
        language=row.language,
        email=row.email,
        isil=row.isil,
        url=row.url,
        phone=row.phone,
        group=row.group_id,
        agreements=tuple(row.agreements),
        for_profit=row.for_profit,
    )


class SqlPeople:
    """People."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def _row(self, person_id: str) -> PersonRow:
        row = self.session.get(PersonRow, person_id)
        if row is None:
            raise NotFound("unknown-person", "There is no such person.")
        return row

    def get(self, person_id: str) -> Person:
        """One person, else NotFound."""
        return as_person(self._row(person_id))

    def lock(self, person_id: str) -> Person:
        """One person, held until the transaction ends; read afresh; else NotFound. Rows that name him can still be written."""
        held = {"key_share": True}
        row = self.session.get(PersonRow, person_id, with_for_update=held, populate_existing=True)
        if row is None:
            raise NotFound("unknown-person", "There is no such person.")
        return as_person(row)

    def by_email(self, email: str) -> Person | None:
        """The person with this address."""
        row = self.session.scalar(select(PersonRow).where(PersonRow.email_key == email_key(email)))
        return None if row is None else as_person(row)

    def by_reader_key(self, reader_key: str) -> Person | None:
        """The person behind a pseudonym, while known."""
        row = self.session.scalar(select(PersonRow).where(PersonRow.reader_key == reader_key))
        return None if row is None else as_person(row)

    def of_library(self, library_id: str, role: Role) -> tuple[Person, ...]:
        """Active people of one library with a role, by name."""
        return self._having(role, PersonRow.library_id == library_id)

    def with_role(self, role: Role) -> tuple[Person, ...]:
        """Active people with a role, by name."""
        return self._having(role)

    def _having(self, role: Role, *more: ColumnElement[bool]) -> tuple[Person, ...]:
        # Readers are a million and staff a few hundred: the database leaves out those who are readers only.
        rows = self.session.scalars(
            select(PersonRow)
            .where(PersonRow.standing == Standing.ACTIVE.value, *more)
            .where(true() if role is Role.READER else cast(PersonRow.roles, Text) != ONLY_READER)
            .order_by(PersonRow.name)
        )
        return tuple(as_person(row) for row in rows if role.value in row.roles)

    def by_outside(self, issuer: str, subject: str) -> Person | None:
        """The person an outside provider knows under this subject."""
        joined = self.session.get(OutsideIdentityRow, (issuer, subject))
        return None if joined is None else self.get(joined.person_id)

    def join_outside(self, issuer: str, subject: str, person_id: str, at: datetime) -> None:
        """Know a person by an outside provider's subject from now on; Conflict at commit when it is taken."""
        self.session.add(OutsideIdentityRow(issuer=issuer, subject=subject, person_id=person_id, added_at=at))
        self.session.flush()

    def has_card(self, library_id: str, card: str) -> bool:
        """Whether an account of a library carries this card."""
        known = select(PersonRow.id).where(PersonRow.card == card, PersonRow.library_id == library_id).limit(1)
        return self.session.scalar(known) is not None

    def add(self, person: Person, salt: str, password: str) -> None:
        """Add a person; Conflict at commit when the address is taken."""
        row = PersonRow(
            id=person.id, salt=salt, password=password, reader_key=person.reader_key, created_at=person.created_at
        )
        _fill(row, person)
        self.session.add(row)
        self.session.flush()

    def save(self, person: Person) -> None:
        """Keep what changed."""
        _fill(self._row(person.id), person)
        self.session.flush()

    def password(self, person_id: str) -> str:
        """The password's hash, "" when none is set."""
        return self._row(person_id).password

    def set_password(self, person_id: str, password: str) -> None:
        """Keep a new hash."""
        self._row(person_id).password = password
        self.session.flush()


def _fill(row: PersonRow, person: Person) -> None:
    row.library_id, row.name = person.library_id, person.name
    row.email, row.email_key = person.email, email_key(person.email)
    row.language, row.roles = person.language, sorted(role.value for role in person.roles)
    row.standing, row.category, row.group_id = person.standing.value, person.category, person.group
    row.card = person.card


def as_person(row: PersonRow | Row[Any]) -> Person:
    return Person(
        id=row.id,
        library_id=row.library_id,
        name=row.name,
        email=row.email,
        language=row.language,
        roles=frozenset(Role(role) for role in row.roles),
        standing=Standing(row.standing),
        reader_key=row.reader_key,
        category=row.category,
        group=row.group_id,
        created_at=row.created_at,
        card=row.card,
    )
