"""What the use cases need from outside: time, mail, blobs, the bell of the queue, and the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from delivery.log_places import LogTree
from delivery.outgoing import Part
from delivery.past_jobs import PastJobs
from delivery.privacy import PrivacyStore
from delivery.second_factors import FactorStore
from delivery.stores import (
    AgreementStore,
    ConsentStore,
    DeliveryStore,
    Ledger,
    LibraryStore,
    MasterStore,
    Outbox,
    PeopleStore,
    ReaderSecretStore,
    RequestStore,
    SourceStore,
    TitleStore,
    TokenStore,
    UsageLog,
)
from delivery.violations import StoredFile
from delivery.watching import WatchStore
from drm.audit.events import Event

Clock = Callable[[], datetime]
"""Returns the present instant, aware UTC."""


class Work(Protocol):
    """One transaction. Everything done through it is kept together or not at all.

    What is read to be changed is held first, and judged by what it says then. Always in this sequence, so that two transactions
    never wait for each other: a person; requests, by their numbers; copies that are there already; the ledger's scopes, by their
    names; the end of the log. Each takes of these what it needs, and nobody goes back.
    """

    @property
    def libraries(self) -> LibraryStore:
        """Libraries in this transaction."""

    @property
    def people(self) -> PeopleStore:
        """People in this transaction."""

    @property
    def secrets(self) -> ReaderSecretStore:
        """The secrets of readers, as this transaction sees them."""

    @property
    def tokens(self) -> TokenStore:
        """Tokens in this transaction."""

    @property
    def agreements(self) -> AgreementStore:
        """Agreements in this transaction."""

    @property
    def sources(self) -> SourceStore:
        """Sources in this transaction."""

    @property
    def requests(self) -> RequestStore:
        """Requests in this transaction."""

    @property
    def deliveries(self) -> DeliveryStore:
        """Deliveries in this transaction."""

    @property
    def masters(self) -> MasterStore:
        """Prepared documents in this transaction."""

    @property
    def titles(self) -> TitleStore:
        """Titles and their ISSNs in this transaction."""

    @property
    def ledger(self) -> Ledger:
        """Ledger in this transaction."""

    @property
    def consents(self) -> ConsentStore:
        """Declarations and fees in this transaction."""

    @property
    def privacy(self) -> PrivacyStore:
        """Holds, acts of two persons and rounds of forgetting in this transaction."""

    @property
    def factors(self) -> FactorStore:
        """Second factors in this transaction."""

    @property
    def watch(self) -> WatchStore:
        """What is counted against misuse, in this transaction."""

    @property
    def jobs(self) -> Outbox:
        """Jobs in this transaction."""

    @property
    def past_jobs(self) -> PastJobs:
        """Jobs that were done long ago, in this transaction."""

    @property
    def log(self) -> UsageLog:
        """Log in this transaction."""

    @property
    def tree(self) -> LogTree:
        """The tree over the log in this transaction."""

    def record(self, event: Event) -> None:
        """Write an audit event with this transaction."""


class Store(Protocol):
    """Opens transactions. Leaving ``write`` normally commits, an exception rolls back."""

    def write(self) -> AbstractContextManager[Work]:
        """A transaction that may change things; Unavailable when the database is busy, away or full."""

    def read(self) -> AbstractContextManager[Work]:
        """A transaction that only looks."""


@dataclass(frozen=True)
class Blob:
    """A stored file: its name in the store, SHA-256 and length in bytes."""

    name: str
    sha256: str
    bytes: int


class Blobs(Protocol):
    """Keeps files whole: a blob is there completely or not at all."""

    def put(self, name: str, source: Path) -> Blob:
        """Store a copy of the file under ``name``, durably; an equal blob that exists is kept. StorageFull when there is no room."""

    def open(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start``, in pieces. BlobMissing when it is not there (raised before the first piece)."""

    def file(self, name: str) -> BinaryIO | None:
        """The blob as an open file, where it is on this machine; else None. BlobMissing when it is not there."""

    def local(self, name: str) -> AbstractContextManager[Path]:
        """The blob as a file to read, for as long as the context lasts. BlobMissing when it is not there."""

    def exists(self, name: str) -> bool:
        """Whether the blob is there."""

    def remove(self, name: str) -> None:
        """Forget the blob; nothing happens when it is not there."""

    def workspace(self) -> AbstractContextManager[Path]:
        """A private folder on the store's disk, removed afterwards."""

    def sweep(self, older_than: float) -> int:
        """Remove unfinished work from before the given time stamp; returns how much."""

    def listed(self, prefix: str = "") -> Iterator[StoredFile]:
        """Every blob whose name begins so, sorted by the bytes of the names; never all of them in memory."""

    def unfinished(self, older_than: float) -> tuple[str, ...]:
        """What ``sweep`` would remove."""


class CopyFiles(Protocol):
    """Copies as files of their own, for what cannot take them in parts: a bounded cache that forgets."""

    def find(self, key: str) -> Path | None:
        """The file for ``key``, if there is one; it counts as used now."""

    def make(self, key: str, size: int, parts: Callable[[], Iterator[Part]]) -> Path | None:
        """The file for ``key``, written from ``parts`` if need be. None where there is no room for it now: do without."""

    def held(self, key: str, size: int, parts: Callable[[], Iterator[Part]]) -> AbstractContextManager[Path | None]:
        """Like ``make``, and the file stays for as long as the context lasts."""

    def sweep(self, older_than: float) -> int:
        """Remove what was last used before the given time stamp; returns how much."""


@dataclass(frozen=True)
class Letter:
    """A mail ready to go. The same ``message_id`` on every try, so that a repeat is recognised."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    language: str
    reply_to: str = ""


class MailFailed(Exception):
    """The mail did not go. ``permanent`` tells that trying again cannot help."""

    def __init__(self, text: str, permanent: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent


class Mailer(Protocol):
    """Sends letters."""

    def send(self, letter: Letter) -> None:
        """Send, or raise MailFailed."""


class Bell(Protocol):
    """Rings for jobs that wait. A lost ring loses nothing: the rows are swept."""

    def ring(self, job_id: int) -> None:
        """Tell a worker about a job. Never raises."""
