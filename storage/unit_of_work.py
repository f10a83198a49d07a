"""One use case, one transaction: the only commit() of the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from delivery.errors import Conflict, DeliveryError, Invalid, StorageFull, Unavailable
from delivery.jobs import LEASE
from drm.audit.events import Event
from storage.agreements import SqlAgreements, SqlSources
from storage.audit_log import AuditLog, SqlUsageLog
from storage.consents import SqlConsents
from storage.deliveries import SqlDeliveries
from storage.directory import SqlLibraries, SqlPeople
from storage.engine import BUSY_MILLISECONDS
from storage.ledger import SqlLedger
from storage.log_tree import SqlLogTree
from storage.masters import SqlMasters
from storage.outbox import SqlOutbox
from storage.past_jobs import SqlPastJobs
from storage.privacy import SqlPrivacy
from storage.reader_secrets import ReaderSecrets, SqlReaderSecrets
from storage.requests import SqlRequests
from storage.second_factors import SqlFactors
from storage.sign_ins import SqlTokens
from storage.titles import SqlTitles
from storage.turns import NoTurn, Turns
from storage.watching import SqlWatch

HEAD_KEPT = "head-kept"
DISK_FULL = "53100"
BUSY = frozenset({"40001", "40P01", "55P03", "57014"})
"""What PostgreSQL says when a lock or a statement took too long, or two transactions stood in each other's way."""


class SqlWork:
    """A transaction with all its stores. Audit events wait here and are numbered last, just before the commit."""

    def __init__(self, session: Session, secrets: ReaderSecrets, leases: Mapping[str, timedelta] = LEASE) -> None:
        self.session = session
        self.secrets = SqlReaderSecrets(session, secrets)
        self.libraries = SqlLibraries(session)
        self.people = SqlPeople(session)
        self.tokens = SqlTokens(session)
        self.agreements = SqlAgreements(session)
        self.sources = SqlSources(session)
        self.requests = SqlRequests(session)
        self.deliveries = SqlDeliveries(session)
        self.masters = SqlMasters(session)
        self.titles = SqlTitles(session)
        self.ledger = SqlLedger(session)
        self.consents = SqlConsents(session)
        self.privacy = SqlPrivacy(session)
        self.factors = SqlFactors(session)
        self.watch = SqlWatch(session)
        self.jobs = SqlOutbox(session, leases)
        self.past_jobs = SqlPastJobs(session)
        self.log = SqlUsageLog(session)
        self.tree = SqlLogTree(session)
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        """Write an audit event with this transaction."""
        self.events.append(event)

    @property
    def steps(self) -> tuple[str, ...]:
        """What this transaction did, by name: its events, and what became of jobs."""
        return (*(event.kind for event in self.events), *self.jobs.steps)


class SqlStore:
    """Opens transactions on one engine.

    ``ring`` is called with each new job's id, ``recorded`` with the events and ``durable`` with the log's size after their
    transaction is durable; ``troubled`` with the code of each transaction that failed for a reason of the database.
    ``passing``, set in tests only, hears the names of what a transaction did, before it commits and after.
    """

    def __init__(
        self,
        engine: Engine,
        audit_log: AuditLog,
        secrets: ReaderSecrets,
        ring: Callable[[int], None] = lambda job_id: None,
        recorded: Callable[[Sequence[Event]], None] = lambda events: None,
        troubled: Callable[[str], None] = lambda code: None,
        passing: Callable[[Sequence[str], str], None] | None = None,
        leases: Mapping[str, timedelta] = LEASE,
    ) -> None:
        self.engine = engine
        self.audit_log = audit_log
        self.secrets = secrets
        self.ring = ring
        self.recorded = recorded
        self.troubled = troubled
        self.durable: Callable[[int], None] = lambda size: None
        self.passing = passing
        self.leases = leases
        self._turns = _turns(engine)

    @contextmanager
    def write(self) -> Iterator[SqlWork]:
        """A transaction that may change things. Commits when left normally, else rolls back."""
        with self._speaking(), self._turn():
            session = Session(
                self.engine.execution_options(rushlight_write=True), expire_on_commit=False, autoflush=True
            )
            try:
                work = SqlWork(session, self.secrets, self.leases)
                yield work
                session.flush()
                head = self.audit_log.append(session, work.events) if work.events else None
                if self.passing:
                    self.passing(work.steps, "before")
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                session.close()
        if self.passing:
            self.passing(work.steps, "after")
        if head is not None:
            self.audit_log.keep_head(head)
            self.durable(head.size)
            if self.passing:
                self.passing((HEAD_KEPT,), "after")
        if work.secrets.doomed:
            self.secrets.destroy(work.secrets.doomed)
        self.recorded(work.events)
        for job_id in work.jobs.added:
            self.ring(job_id)

    @contextmanager
    def read(self) -> Iterator[SqlWork]:
        """A transaction that only looks; whatever it changed is rolled back."""
        with self._speaking():
            session = Session(self.engine, expire_on_commit=False, autoflush=False)
            try:
                yield SqlWork(session, self.secrets, self.leases)
            finally:
                session.rollback()
                session.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One writer after the other where the database lets one write at a time."""
        if self._turns is None:
            yield
            return
        with ExitStack() as held:
            try:
                held.enter_context(self._turns.turn(BUSY_MILLISECONDS / 1000))
            except NoTurn:
                self.troubled("database-busy")
                raise _busy() from None
            yield

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn the database's troubles into our errors, so that people get a retry advice instead of a traceback."""
        try:
            yield
        except DeliveryError:
            raise
        except IntegrityError as error:
            self.troubled("already-there")
            raise Conflict("already-there", "Somebody else was faster: this stands already.") from error
        except (DataError, UnicodeEncodeError) as error:
            # A net: what comes from outside is refused where it comes in.
            self.troubled("unfit-input")
            raise Invalid(
                {}, "unfit-input", "A value is too long or too large, or holds what cannot be kept."
            ) from error
        except DBAPIError as error:
            # A server that ends a connection may tell so as an internal error of its own.
            if not (isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated):
                raise
            found = trouble(error)
            self.troubled(found.code)
            raise found from error
        except NoConnection as error:
            self.troubled("database-busy")
            raise Unavailable("database-busy", "The database is busy. Nothing was lost; try again soon.", 5) from error


def _turns(engine: Engine) -> Turns | None:
    if engine.dialect.name != "sqlite":
        return None
    return Turns(Path(engine.url.database) if engine.url.database else None)


def _busy() -> Unavailable:
    return Unavailable("database-busy", "The database is busy. Nothing was lost; try again in a moment.", 2)


def trouble(error: DBAPIError) -> Unavailable:
    """The error of ours that fits an operational error of the database."""
    text, state = str(error.orig).lower(), getattr(error.orig, "sqlstate", "")
    if "full" in text or "no space" in text or "disk i/o" in text or state == DISK_FULL:
        return StorageFull("storage-full", "The disk is full. What was stored before is safe; try again later.", 60)
    if "locked" in text or "busy" in text or state in BUSY:
        return _busy()
    return Unavailable("database-away", "The database does not answer. Nothing was lost; try again in a moment.", 10)
