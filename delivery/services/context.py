"""What every use case is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from delivery.errors import NotAllowed, NotFound
from delivery.identity import IdentityProvider, OutsideRules
from delivery.log_places import LogSettings
from delivery.payments import InvoiceAtLibrary, Payments
from delivery.people import Person, Role
from delivery.ports import Blobs, Clock, CopyFiles, Mailer, Store
from delivery.services.log_checking import Known
from delivery.sources import Fetcher
from delivery.stores import Source
from delivery.watching import Pace, Paces, Rate
from drm.agreement_terms import LinkTable
from drm.audit.chain import LogVerdict
from drm.pdf.policy import Policy
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.values import Master
from drm.pdf.values import CopyReport, CopySpec, Limits
from drm.pdf.verifying import Expectation, Verdict
from drm.sealing import Sealer
from drm.tokens import ApiTokens, KeyRing, LinkSigner, PurposeSigner


class PdfWorks(Protocol):
    """The PDF engine as the use cases see it. All work happens in limited child processes; PdfRefused says why not."""

    def inspect(self, source: Path) -> Mapping[str, object]:
        """The report on a file."""

    def make_copy(self, source: Path, out: Path, spec: CopySpec, reader_password: str | None = None) -> CopyReport:
        """One verified copy at ``out``, opened by a password where one is given."""

    def prepare(self, source: Path, out: Path, typical: CopySpec, encrypted: bool, keys: MasterKeys) -> Master:
        """The master of a document at ``out``, for copies like ``typical``, proved; its record."""

    def verify(self, copy: Path, expect: Expectation, password: str | None = None) -> Verdict:
        """The full check of a copy."""

    def render_page(self, source: Path, page: int, width: int, password: str | None = None) -> bytes:
        """One page (from 0) as PNG, ``width`` pixels wide."""

    def page_text(self, source: Path, page: int, password: str | None = None) -> str:
        """The text of one page (from 0) in reading order."""


@dataclass(frozen=True)
class ServiceSettings:
    """The numbers that use cases go by."""

    public_url: str = "http://127.0.0.1:8080"
    staff_url: str = "http://127.0.0.1:8081"
    sender: str = "Rushlight <rushlight@localhost>"
    window: timedelta = timedelta(hours=2)
    window_networks: int = 3
    nonce_life: timedelta = timedelta(hours=12)
    sign_in_life: timedelta = timedelta(days=14)
    staff_sign_in_life: timedelta = timedelta(hours=12)
    mailed_token_life: timedelta = timedelta(hours=24)
    upload_bytes: int = 200 * 1024 * 1024
    fetch_seconds: float = 120.0
    open_registration: bool = True
    two_person: bool = True
    identity_life: timedelta = timedelta(days=90)
    record_life: timedelta = timedelta(days=1825)
    retention_notice: timedelta = timedelta(days=7)
    limits: Limits = field(default_factory=Limits)
    pdf_policy: Policy = field(default_factory=Policy)
    master_life: timedelta = timedelta(days=90)
    jobs_keep: timedelta = timedelta(days=90)
    overshared_networks: int = 10
    overshared_within: timedelta = timedelta(hours=24)
    paces: Paces = field(default_factory=Paces)
    outside: OutsideRules = field(default_factory=OutsideRules)
    second_factor: bool = False
    sign_in_pace: Pace = (Rate(10, 300),)


class CheckLog(Protocol):
    """Checks the whole log, and that it continues what is ``known`` of it from elsewhere."""

    def __call__(self, known: Sequence[Known] = ()) -> LogVerdict: ...


@dataclass(frozen=True)
class Context:
    """The world of the use cases. Frozen: one per process, shared by threads."""

    store: Store
    blobs: Blobs
    copies: CopyFiles
    mailer: Mailer
    clock: Clock
    ring: KeyRing
    fetcher: Callable[[Source], Fetcher]
    pdf: PdfWorks
    presets: Mapping[str, LinkTable]
    check_log: CheckLog
    log: LogSettings
    settings: ServiceSettings
    payments: Payments = field(default_factory=InvoiceAtLibrary)
    provider: IdentityProvider | None = None

    @property
    def sealer(self) -> Sealer:
        """Seals what names a person."""
        return Sealer(self.ring)

    @property
    def links(self) -> LinkSigner:
        """Signs and reads link tokens."""
        return LinkSigner(self.ring)

    @property
    def api_tokens(self) -> ApiTokens:
        """Signs and reads API tokens."""
        return ApiTokens(self.ring)

    def signer(self, purpose: str) -> PurposeSigner:
        """Signs and reads short-lived tokens of one purpose."""
        return PurposeSigner(self.ring, purpose)

    def link(self, delivery: str) -> str:
        """The address of a delivery as it stands in the mail."""
        return f"{self.settings.public_url.rstrip('/')}/d/{self.links.sign(delivery)}"


def require(person: Person, *roles: Role) -> None:
    """NotAllowed unless the person holds one of the roles."""
    if not person.roles & frozenset(roles):
        raise NotAllowed("not-your-role", "Your account does not have the right to do this.")


def require_library(person: Person, library_id: str) -> None:
    """NotFound for another library's things: from outside they look as if they did not exist.

    Rights officers and operators work for the whole consortium.
    """
    if person.roles & {Role.RIGHTS_OFFICER, Role.OPERATOR}:
        return
    if person.library_id != library_id:
        raise NotFound("unknown-request", "There is no such request.")
