"""A whole small installation for tests: real SQLite, real blobs, real PDFs; only clock and mail are fakes."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from admin.app import create_staff_app
from admin.keys import make_keys
from admin.sample import build_collection
from admin.settings import Settings
from admin.web_settings import web_settings
from admin.wiring import Services, bounds_of, build_services
from delivery.citation import Citation
from delivery.copies import Delivery
from delivery.document_request import DocumentRequest
from delivery.passwords import hash_password
from delivery.people import Library, Person, Role
from delivery.ports import Letter
from delivery.services import requesting
from delivery.services.accounts import new_person
from delivery.services.context import Context
from delivery.services.copy_reading import Download, read_file
from delivery.services.requesting import Asked
from delivery.services.working import run_job, sweep
from delivery.stores import AgreementVersion, Source
from delivery.web.app import create_reader_app
from drm.agreements import load_agreements
from storage.engine import open_engine
from storage.migrating import migrate
from storage.models import JobRow
from storage.unit_of_work import SqlStore

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
HASHED = hash_password(PASSWORD)
OPEN_AGREEMENT = """
vocabulary = 1
[[agreement]]
id = "open"
title = "Open agreement"
jurisdiction = "IE"
kind = "licence"
version = 1
[agreement.terms]
en = "For private study."
zh = "仅供个人学习。"
[[agreement.rule]]
id = "open.one_copy"
type = "gate"
require = { "request.copies" = { le = 1 } }
effect = "deny"
reason = "MULTIPLE_COPIES"
"""
LIMITED = """
vocabulary = 1
[[agreement]]
id = "limited"
title = "Limited agreement"
jurisdiction = "IE"
kind = "licence"
version = 1
[[agreement.rule]]
id = "limited.per_month"
type = "limit"
measure = "copies"
max = {most}
per = ["{per}"]
window = {{ type = "calendar", unit = "month" }}
count = ["filled"]
hold = ["reserved"]
effect = "{effect}"
reason = "ROLLING_QUOTA"
"""


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


class Post:
    """Keeps letters instead of sending them."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        """Keep the letter."""
        self.letters.append(letter)


@dataclass
class World:
    """One library in Dublin, its people, one collection and a desk."""

    services: Services
    ctx: Context
    clock: Clock
    post: Post
    reader: Person
    other: Person
    librarian: Person
    officer: Person
    stranger: Person

    @property
    def store(self) -> SqlStore:
        """The store."""
        return self.services.store

    def ask(self, reader: Person | None = None, deliberate: bool = True, **fields: str) -> DocumentRequest:
        """Ask for a work; by default one that the collection holds."""
        given = fields or {"doi": "10.5555/lantern.2021.0001"}
        return requesting.submit(self.ctx, reader or self.reader, Asked(given, deliberate=deliberate)).request

    def work(self, rounds: int = 40, without: str = "") -> None:
        """Run jobs until none is due; those of the kind ``without`` are left as they are."""
        failures: list[str] = []
        for _ in range(rounds):
            due = [job_id for job_id in sweep(self.ctx) if self.kind(job_id) != without]
            if not due:
                break
            for job_id in due:
                run_job(self.ctx, job_id, lambda what, job, error: failures.append(repr(error)) if error else None)
        assert not failures, failures

    def kind(self, job_id: int) -> str:
        """What a job does."""
        with self.services.engine.connect() as connection:
            return str(connection.scalar(select(JobRow.kind).where(JobRow.id == job_id)))

    def close(self) -> None:
        """Let go of the databases."""
        self.services.engine.dispose()
        self.store.secrets.engine.dispose()

    def get(self, number: str) -> DocumentRequest:
        """A request as it is now."""
        with self.store.read() as work:
            return work.requests.get(number)

    def delivery(self, number: str) -> Delivery:
        """The copy of a request."""
        with self.store.read() as work:
            return work.deliveries.get(work.requests.get(number).delivery)

    def copy(self, number: str) -> bytes:
        """The bytes of a request's copy, as a reader gets them."""
        delivery = self.delivery(number)
        with self.store.read() as work:
            download = Download(delivery, work.deliveries.tail(delivery.number))
        return b"".join(read_file(self.ctx, download, 0, download.size))

    def kinds(self, number: str) -> list[str]:
        """The events of a request, oldest first."""
        from delivery.stores import LogFilter

        with self.store.read() as work:
            return [entry.kind for entry in reversed(work.log.find(LogFilter(request=number, limit=200)).entries)]

    def load(self, text: str) -> None:
        """Put an agreement in force."""
        for agreement in load_agreements(text):
            version = AgreementVersion(agreement.id, agreement.version, agreement.title, text, "confirmed")
            with self.store.write() as work:
                work.agreements.add(version, self.clock())

    def add_person(self, name: str, role: Role, library: str = "harbour") -> Person:
        """One more person."""
        email = f"{name.lower()}@{library}.example.org"
        person, salt = new_person(library, name.title(), email, "en", frozenset({role}), START)
        with self.store.write() as work:
            work.people.add(person, salt, HASHED)
        return person

    def bind(self, source_id: str, agreements: Sequence[str]) -> None:
        """Let other agreements hold for a source."""
        with self.store.write() as work:
            work.sources.save(replace(work.sources.get(source_id), agreements=tuple(agreements)))

    def tables(self) -> list[list[tuple[object, ...]]]:
        """All rows of all tables, as the database has them."""
        with self.services.engine.connect() as connection:
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
            return [[tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')] for name in names]

    def reader_app(self) -> Flask:
        """The reader app, without rate limits."""
        return create_reader_app(self.ctx, replace(web_settings(self.services, "reader"), testing=True))

    def staff_app(self) -> Flask:
        """The staff app, without rate limits."""
        return create_staff_app(
            self.ctx, replace(web_settings(self.services, "staff"), testing=True), self.services.settings
        )


@functools.cache
def migrated() -> bytes:
    """An empty SQLite database after all migrations, which run once for all worlds of a process."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "rushlight.db"
        engine = open_engine(f"sqlite:///{file}")
        migrate(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return file.read_bytes()


PEOPLE = (
    ("Maeve Byrne", "harbour", Role.READER),
    ("Tomasz Zolkiewski", "harbour", Role.READER),
    ("Sinead Walsh", "harbour", Role.LIBRARIAN),
    ("Nora Keane", "harbour", Role.RIGHTS_OFFICER),
    ("Colm Doyle", "glenmore", Role.LIBRARIAN),
)


def _installed(folder: Path, database: str, first: bool, **more: str) -> tuple[Services, Context, Clock, Post]:
    clock, post = Clock(), Post()
    unhurried = dict.fromkeys(("reader_pace", "library_pace", "token_pace"), "")
    settings = Settings(home=folder, database_url=database, _env_file=None, **{**unhurried, **more})  # type: ignore[arg-type]  # texts
    if first:
        make_keys(settings.key_file)
        if not database:
            (folder / "rushlight.db").write_bytes(migrated())
    services = build_services(settings, clock=clock, bounds=bounds_of(settings))
    migrate(services.engine)
    return services, replace(services.ctx, mailer=post), clock, post


def _address(name: str, library: str) -> str:
    return f"{name.split(maxsplit=1)[0].lower()}@{library}.example.org"


def open_world(folder: Path, database: str = "") -> World:
    """An installation that ``make_world`` made before."""
    services, ctx, clock, post = _installed(folder, database, first=False)
    with services.store.read() as work:
        known = [work.people.by_email(_address(name, library)) for name, library, _ in PEOPLE]
    return World(services, ctx, clock, post, *(one for one in known if one is not None))


def make_world(folder: Path, collection: Path, database: str = "", **more: str) -> World:
    """A fresh installation in a folder; ``collection`` is shared between tests and only read. ``more`` are further settings."""
    services, ctx, clock, post = _installed(folder, database, first=True, **more)
    people = {}
    with services.store.write() as work:
        for name in ("harbour", "glenmore"):
            work.libraries.save(
                Library(name, name.title(), "", "IE", "Europe/Dublin", "en", f"desk@{name}.example.org")
            )
        for name, library, role in PEOPLE:
            person, salt = new_person(library, name, _address(name, library), "en", frozenset({role}), START)
            work.people.add(person, salt, HASHED)
            people[name.split()[0]] = person
        work.sources.save(
            Source(
                "collection",
                "local_collection",
                "Collection",
                "harbour",
                ("open",),
                {"folder": str(collection / "lantern")},
                50,
            )
        )
        work.sources.save(Source("desk", "desk", "Desk", "harbour", ("open",), {}, 90))
    world = World(services, ctx, clock, post, *people.values())
    world.load(OPEN_AGREEMENT)
    return world


def citation(**fields: str) -> Citation:
    """A citation of these fields, which must be good."""
    found, errors = Citation.from_fields(fields)
    assert not errors, errors
    return found


def collection_for(factory: Path) -> Path:
    """The sample collection, made once for a test session."""
    folder = factory / "collection"
    build_collection(folder)
    return folder
