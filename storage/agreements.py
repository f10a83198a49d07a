"""Agreements and sources in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from delivery.effective_dates import newest
from delivery.errors import Conflict, NotFound
from delivery.stores import AgreementVersion, Ground, Source
from drm.agreement_reading import LARGEST
from storage.directory import as_library
from storage.models import AgreementRow, LibraryRow, PersonRow, SourceRow, TitleRow

WRITTEN = (
    "title",
    "text",
    "standing",
    "effective_from",
    "effective_to",
    "proposed_by",
    "confirmed_by",
    "confirmed_at",
    "note",
)


def _with_agreements(libraries: Any) -> Any:
    """Each library with every confirmed agreement, and the titles that are one journal with that of :issn."""
    own = select(TitleRow.linking).where(TitleRow.issn == bindparam("issn")).scalar_subquery()
    issns = func.aggregate_strings(TitleRow.issn.concat(" ").concat(TitleRow.linking), ",")
    family = select(issns).where(TitleRow.linking == own).scalar_subquery().label("family")
    return libraries.outerjoin(AgreementRow, AgreementRow.standing == "confirmed").add_columns(family)


# Read for each request; made once, for building a statement takes longer than running it.
GROUND = _with_agreements(
    select(LibraryRow, AgreementRow).select_from(LibraryRow).where(LibraryRow.id == bindparam("library"))
)
GROUND_OF_READER = _with_agreements(
    select(LibraryRow, AgreementRow, PersonRow)
    .select_from(LibraryRow)
    .join(PersonRow, PersonRow.library_id == LibraryRow.id)
    .where(PersonRow.id == bindparam("person"))
)
# What only names him, as a sign-in does, is no change of him and need not wait.
GROUND_OF_HELD_READER = GROUND_OF_READER.with_for_update(of=PersonRow, key_share=True)
ACTIVE_SOURCES = select(SourceRow).where(SourceRow.active.is_(True)).order_by(SourceRow.rank, SourceRow.id)


class SqlAgreements:
    """Versions of agreements."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._in_force: object = None

    def in_force(self, now: datetime, zone: ZoneInfo) -> tuple[AgreementVersion, ...]:
        """The newest confirmed version of each agreement that is effective now for a library in this zone, by id."""
        rows = self.session.scalars(select(AgreementRow).where(AgreementRow.standing == "confirmed")).all()
        self._in_force = rows  # held, so that reading one of them again in this transaction costs nothing
        return newest((_version(row) for row in rows), now, zone)

    def ground(self, library_id: str, now: datetime, issn: str) -> Ground:
        """What a decision about a request from this library stands on now, by one statement; else NotFound."""
        return self._ground(GROUND, {"library": library_id, "issn": issn}, now)

    def ground_of_reader(self, person_id: str, now: datetime, issn: str, hold: bool = False) -> Ground:
        """The same for the library of a person, who is not read again in this transaction either; with ``hold`` he is held until it ends."""
        statement = GROUND_OF_HELD_READER if hold else GROUND_OF_READER
        return self._ground(statement, {"person": person_id, "issn": issn}, now)

    def _ground(self, statement: Any, wanted: dict[str, str], now: datetime) -> Ground:
        rows = self.session.execute(statement, wanted).all()
        if not rows:
            raise NotFound("unknown-library", "There is no such library.")
        self._in_force = rows  # held, so that reading one of them again in this transaction costs nothing
        library = as_library(rows[0].LibraryRow)
        versions = (_version(row.AgreementRow) for row in rows if row.AgreementRow is not None)
        pairs = (rows[0].family or "").split(",")
        return Ground(
            library, newest(versions, now, library.zone), dict(sorted(pair.split(" ") for pair in pairs if pair))
        )

    def get(self, agreement_id: str, version: int) -> AgreementVersion:
        """One version, else NotFound."""
        row = self.session.get(AgreementRow, (agreement_id, version)) if version <= LARGEST else None
        if row is None:
            raise NotFound("unknown-agreement", f"There is no agreement {agreement_id} v{version}.")
        return _version(row)

    def versions(self, agreement_id: str) -> tuple[AgreementVersion, ...]:
        """All versions of an agreement, newest first."""
        rows = self.session.scalars(
            select(AgreementRow).where(AgreementRow.id == agreement_id).order_by(AgreementRow.version.desc())
        )
        return tuple(_version(row) for row in rows)

    def add(self, agreement: AgreementVersion, at: datetime) -> bool:
        """Enter a version. False when the same text stands already; Conflict when another text does: versions are frozen."""
        row = self.session.get(AgreementRow, (agreement.id, agreement.version))
        if row is not None:
            if row.text != agreement.text:
                raise Conflict(
                    "agreement-frozen",
                    f"{agreement.id} v{agreement.version} stands already with another text; give the change a new version.",
                )
            return False
        self.put(agreement, at)
        return True

    def put(self, agreement: AgreementVersion, at: datetime) -> None:
        """Keep a version as it stands now. Conflict for another text of a confirmed one: that is frozen for good."""
        row = self.session.get(AgreementRow, (agreement.id, agreement.version))
        if row is None:
            row = AgreementRow(id=agreement.id, version=agreement.version, loaded_at=at)
        elif row.standing == "confirmed" and row.text != agreement.text:
            raise Conflict("agreement-frozen", f"{agreement.id} v{agreement.version} is confirmed and cannot change.")
        for name in WRITTEN:
            setattr(row, name, getattr(agreement, name))
        self.session.add(row)
        self.session.flush()

    def standing(self, *standings: str) -> tuple[AgreementVersion, ...]:
        """The versions in these standings, by id and version."""
        rows = self.session.scalars(
            select(AgreementRow)
            .where(AgreementRow.standing.in_(standings))
            .order_by(AgreementRow.id, AgreementRow.version)
        )
        return tuple(_version(row) for row in rows)


def _version(row: AgreementRow) -> AgreementVersion:
    return AgreementVersion(
        id=row.id,
        version=row.version,
        title=row.title,
        text=row.text,
        standing=row.standing,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        proposed_by=row.proposed_by,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        note=row.note,
    )


class SqlSources:
    """Sources in the order in which they are tried."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, source_id: str) -> Source:
        """One source, else NotFound."""
        row = self.session.get(SourceRow, source_id)
        if row is None:
            raise NotFound("unknown-source", f"There is no source {source_id!r}.")
        return _source(row)

    def active(self) -> tuple[Source, ...]:
        """Sources in use, by rank and id."""
        return tuple(_source(row) for row in self.session.scalars(ACTIVE_SOURCES))

    def all(self) -> tuple[Source, ...]:
        """All sources, by rank and id, also those out of use."""
        rows = self.session.scalars(select(SourceRow).order_by(SourceRow.rank, SourceRow.id))
        return tuple(_source(row) for row in rows)

    def save(self, source: Source) -> None:
        """Add or change a source."""
        row = self.session.get(SourceRow, source.id) or SourceRow(id=source.id)
        row.kind, row.title, row.library_id = source.kind, source.title, source.library_id
        row.agreements, row.settings = list(source.agreements), dict(source.settings)
        row.rank, row.active = source.rank, source.active
        self.session.add(row)
        self.session.flush()


def _source(row: SourceRow) -> Source:
    return Source(
        id=row.id,
        kind=row.kind,
        title=row.title,
        library_id=row.library_id,
        agreements=tuple(row.agreements),
        settings=row.settings,
        rank=row.rank,
        active=row.active,
    )
