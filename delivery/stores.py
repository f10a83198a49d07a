"""What a transaction offers, store by store. All values are frozen; rows stay inside storage/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from delivery.consents import Declaration, Fee
from delivery.copies import Delivery, Window
from delivery.document_request import DocumentRequest, Message, QueueFilter, Try
from delivery.jobs import Job, NewJob
from delivery.people import Library, Person, Role
from drm.audit.chain import LogRow


class LibraryStore(Protocol):
    """Member libraries."""

    def get(self, library_id: str) -> Library: ...
    def all(self) -> tuple[Library, ...]: ...
    def save(self, library: Library) -> None: ...


class PeopleStore(Protocol):
    """People, found by id, address or pseudonym. Addresses compare without case."""

    def get(self, person_id: str) -> Person: ...
    def by_email(self, email: str) -> Person | None: ...
    def by_reader_key(self, reader_key: str) -> Person | None: ...
    def of_library(self, library_id: str, role: Role) -> tuple[Person, ...]: ...
    def with_role(self, role: Role) -> tuple[Person, ...]: ...
    def add(self, person: Person, salt: str, password: str) -> None: ...
    def save(self, person: Person) -> None: ...
    def password(self, person_id: str) -> str: ...
    def set_password(self, person_id: str, password: str) -> None: ...


class ReaderSecretStore(Protocol):
    """A secret for each reader, apart from the ledger. Without it nobody can tell which rows of the ledger are his."""

    def key_of(self, person_id: str) -> str: ...
    def destroy(self, person_id: str) -> None: ...
    def destroy_ownerless(self) -> int: ...


@dataclass(frozen=True)
class ApiTokenRecord:
    """An API token as the register knows it."""

    id: str
    person_id: str
    label: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class KeptAnswer:
    """What an API call with an idempotency key answered the first time."""

    body_hash: str
    status: int
    answer: Mapping[str, object]


class TokenStore(Protocol):
    """Sign-ins, mailed tokens, API tokens and kept answers."""

    def sign_in(self, secret_hash: str, person_id: str, app: str, at: datetime, ends_at: datetime) -> None: ...
    def signed_in(self, secret_hash: str, app: str, now: datetime) -> str | None: ...
    def sign_out(self, secret_hash: str) -> None: ...
    def sign_out_person(self, person_id: str) -> None: ...
    def use_once(self, token_hash: str, at: datetime) -> bool: ...
    def add_api_token(self, record: ApiTokenRecord) -> None: ...
    def api_token(self, token_id: str) -> ApiTokenRecord | None: ...
    def revoke_api_token(self, token_id: str, at: datetime) -> bool: ...
    def kept_answer(self, person_id: str, key: str) -> KeptAnswer | None: ...
    def keep_answer(self, person_id: str, key: str, kept: KeptAnswer, at: datetime) -> None: ...
    def forget_before(self, instant: datetime) -> None: ...


@dataclass(frozen=True)
class AgreementVersion:
    """One version of an agreement. ``standing`` is draft, proposed, confirmed or retired; ``text`` is its TOML."""

    id: str
    version: int
    title: str
    text: str
    standing: str
    effective_from: datetime | None = None
    effective_to: datetime | None = None
    proposed_by: str = ""
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    note: str = ""


class AgreementStore(Protocol):
    """Versions of agreements."""

    def in_force(self, now: datetime) -> tuple[AgreementVersion, ...]: ...
    def get(self, agreement_id: str, version: int) -> AgreementVersion: ...
    def versions(self, agreement_id: str) -> tuple[AgreementVersion, ...]: ...
    def standing(self, *standings: str) -> tuple[AgreementVersion, ...]: ...
    def add(self, agreement: AgreementVersion, at: datetime) -> bool: ...
    def put(self, agreement: AgreementVersion, at: datetime) -> None: ...


@dataclass(frozen=True)
class Source:
    """A place full texts come from. ``kind`` picks the fetcher; ``agreements`` are the ids that hold for it."""

    id: str
    kind: str
    title: str
    library_id: str | None
    agreements: tuple[str, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    rank: int = 100
    active: bool = True


class SourceStore(Protocol):
    """Sources in the order in which they are tried."""

    def get(self, source_id: str) -> Source: ...
    def active(self) -> tuple[Source, ...]: ...
    def all(self) -> tuple[Source, ...]: ...
    def save(self, source: Source) -> None: ...


@dataclass(frozen=True)
class RequestPage:
    """One page of a list, and how many there are in all."""

    requests: tuple[DocumentRequest, ...]
    total: int


class RequestStore(Protocol):
    """Document requests. ``save`` refuses (Conflict) when somebody else saved since the value was read."""

    def add(self, request: DocumentRequest) -> None: ...
    def get(self, number: str) -> DocumentRequest: ...
    def lock(self, number: str) -> DocumentRequest: ...
    def save(self, request: DocumentRequest) -> DocumentRequest: ...
    def of_reader(self, reader_id: str, limit: int, offset: int = 0) -> RequestPage: ...
    def same_work(
        self, fingerprints: Sequence[str], reader_id: str | None, limit: int = 10
    ) -> tuple[DocumentRequest, ...]: ...
    def queue(self, wanted: QueueFilter) -> RequestPage: ...
    def counts(self, library_id: str = "") -> Mapping[str, int]: ...
    def awaiting_approval(self, limit: int = 100) -> tuple[DocumentRequest, ...]: ...
    def created_between(
        self, since: datetime | None, until: datetime | None, after: str, limit: int
    ) -> tuple[DocumentRequest, ...]: ...
    def preparing_from(self, blob: str) -> bool: ...
    def add_try(self, tried: Try) -> None: ...
    def tries(self, number: str) -> tuple[Try, ...]: ...
    def add_message(self, message: Message) -> None: ...
    def messages(self, number: str) -> tuple[Message, ...]: ...


class DeliveryStore(Protocol):
    """Copies, windows and networks."""

    def add(self, delivery: Delivery, claim: str) -> None: ...
    def get(self, number: str) -> Delivery: ...
    def save(self, delivery: Delivery) -> None: ...
    def of_request(self, request: str) -> tuple[Delivery, ...]: ...
    def open_window(self, number: str, window: Window, now: datetime) -> bool: ...
    def window(self, secret_hash: str) -> Window | None: ...
    def admit_network(self, secret_hash: str, network: str, limit: int) -> bool: ...
    def mark_served(self, secret_hash: str) -> bool: ...
    def count_machine_hit(self, number: str) -> int: ...
    def due_to_expire(self, now: datetime, limit: int) -> tuple[Delivery, ...]: ...
    def blobs_to_remove(self, now: datetime, limit: int) -> tuple[Delivery, ...]: ...


@dataclass(frozen=True)
class Slot:
    """One place taken under one limit: the agreement, its rule and the scope that is counted."""

    agreement: str
    rule: str
    scope: str


@dataclass(frozen=True)
class UsageRecord:
    """What one copy counts as. ``keys`` are the parts that scopes are made of; ``status`` is reserved, filled, cancelled or unfilled."""

    claim: str
    request: str
    library_id: str
    status: str
    under: tuple[str, ...]
    facts: Mapping[str, object]
    keys: Mapping[str, str | None]
    requested_at: datetime
    filled_at: datetime | None = None


@dataclass(frozen=True)
class LedgerEntry:
    """One line of the ledger. ``kind`` is reserve, settle, release or refund."""

    claim: str
    slot: Slot
    kind: str
    at: datetime
    actor: str = "system"
    reason: str = ""


class Ledger(Protocol):
    """Reserve, settle, release, refund. Lock first, then read, decide and write in the same transaction."""

    def lock(self, scopes: Iterable[str]) -> None: ...
    def history(
        self, keys: Sequence[tuple[Mapping[str, str | None], datetime | None]], leave_out: str = ""
    ) -> tuple[UsageRecord, ...]: ...
    def journal_head(self) -> int: ...
    def history_at(
        self, keys: Sequence[tuple[Mapping[str, str | None], datetime | None]], head: int, leave_out: str = ""
    ) -> tuple[UsageRecord, ...]: ...
    def enter(self, entry: LedgerEntry) -> bool: ...
    def entries(self, claim: str) -> tuple[LedgerEntry, ...]: ...
    def put_record(self, record: UsageRecord, at: datetime) -> None: ...
    def record(self, claim: str) -> UsageRecord | None: ...
    def filled_between(self, since: datetime, until: datetime) -> tuple[UsageRecord, ...]: ...
    def usage(self, scope: str, rule: str) -> int: ...
    def highest(self, rule: str) -> tuple[int, int]: ...


class ConsentStore(Protocol):
    """Declarations and fees. A second consent to the same rule of the same request changes nothing."""

    def declare(self, declaration: Declaration) -> bool: ...
    def declarations(self, request: str) -> tuple[Declaration, ...]: ...
    def declarations_between(self, since: datetime, until: datetime) -> tuple[Declaration, ...]: ...
    def charge(self, fee: Fee) -> bool: ...
    def fees(self, request: str) -> tuple[Fee, ...]: ...
    def fees_between(self, since: datetime, until: datetime) -> tuple[Fee, ...]: ...
    def fees_stand(self, request: str, standing: str, at: datetime | None) -> None: ...


class Outbox(Protocol):
    """Jobs. ``claim`` and ``finish`` compare and swap, so that two workers never both own one."""

    def add(self, job: NewJob, now: datetime) -> int: ...
    def due(self, now: datetime, limit: int) -> tuple[int, ...]: ...
    def claim(self, job_id: int, now: datetime) -> Job | None: ...
    def free_gone(self, now: datetime) -> int: ...
    def renew(self, job: Job, now: datetime) -> bool: ...
    def finish(self, job: Job, now: datetime) -> bool: ...
    def retry(self, job: Job, at: datetime, error: str) -> bool: ...
    def set_aside(self, job: Job, now: datetime, error: str) -> bool: ...
    def counts(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class LogFilter:
    """What a rights officer wants to see of the log. Dates are half-open instants in UTC; ``before`` is a sequence number."""

    agreement: str = ""
    version: int | None = None
    title: str = ""
    library_id: str = ""
    reader_key: str = ""
    kind: str = ""
    request: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class LogEntry:
    """An event as the usage log shows it."""

    seq: int
    at: datetime
    kind: str
    actor: str
    library_id: str
    request: str
    delivery: str
    agreements: str
    code: str
    title: str
    reader_key: str
    hash: bytes


@dataclass(frozen=True)
class LogPage:
    """One page of the usage log, and how many events the filter finds."""

    entries: tuple[LogEntry, ...]
    total: int


class UsageLog(Protocol):
    """Reading the audit log."""

    def rows(self, after: int = 0) -> Iterator[LogRow]: ...
    def find(self, wanted: LogFilter) -> LogPage: ...
    def size(self) -> int: ...
