"""The only place where the parts meet, and the only one that names the real clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from admin.crash_points import armed
from admin.keys import Keys, read_keys
from admin.log_wiring import Checkpointer, check_log, log_settings
from admin.mail import MailFolder, SmtpMailer
from admin.metering.measured import MeasuredFetcher, MeasuredMailer, MeasuredPdfWorks
from admin.metering.meters import Meters
from admin.pdf_works import SandboxedPdfWorks
from admin.settings import Settings, SettingsError
from delivery.identity import IdentityProvider, OutsideRules
from delivery.jobs import leases
from delivery.ports import Blobs, Clock, Mailer
from delivery.services.context import Context, ServiceSettings
from delivery.sources import Fetcher
from delivery.stores import Source
from delivery.watching import Paces, read_pace
from drm.licence import load_presets
from drm.pdf.policy import Policy
from drm.pdf.values import MIB, Limits
from fetchers.registry import make_fetcher
from storage.audit_log import AuditLog
from storage.blobs.local import LocalBlobs
from storage.copy_cache import CopyCache
from storage.engine import Bounds, Engine, open_engine
from storage.reader_secrets import ReaderSecrets
from storage.unit_of_work import SqlStore


def real_clock() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Everything a process needs: the use cases' context, and what only administration touches."""

    settings: Settings
    keys: Keys
    engine: Engine
    store: SqlStore
    audit_log: AuditLog
    ctx: Context
    meters: Meters
    checkpointer: Checkpointer


def build_services(
    settings: Settings,
    ring: Callable[[int], None] = lambda job_id: None,
    clock: Clock = real_clock,
    meters: Meters | None = None,
    bounds: Bounds | None = None,
) -> Services:
    """Put the parts together. SettingsError when keys or settings are missing or weak: the service must not start then.

    ``bounds`` end what the database takes too long for; commands that read everything have none.
    """
    meters = meters or Meters()
    keys = read_keys(settings.key_file)
    engine = open_engine(settings.database, bounds)
    audit_log = AuditLog(keys.audit, settings.head_file)
    point = armed(settings)
    ring = point.around_ring(ring) if point else ring
    passing = point.passing if point else None
    secrets = make_secrets(settings, bounds)
    held = leases(timedelta(seconds=settings.lease_seconds))
    store = SqlStore(engine, audit_log, secrets, ring, meters.recorded, meters.troubled, passing, held)
    mailer = make_mailer(settings, clock)
    log = log_settings(settings, mailer, clock)
    limits = Limits(memory_bytes=settings.pdf_memory_mib * MIB, cpu_seconds=settings.pdf_seconds)
    ctx = Context(
        store=store,
        blobs=make_blobs(settings),
        copies=CopyCache(settings.copies_folder, settings.cache_mib * MIB),
        mailer=MeasuredMailer(mailer, meters),
        clock=clock,
        ring=keys.ring,
        fetcher=_fetchers(settings, meters),
        pdf=MeasuredPdfWorks(SandboxedPdfWorks(limits, pdf_policy(settings)), meters),
        presets=load_presets(),
        check_log=lambda known=(): check_log(store, audit_log, log.keys, known, witnesses=log.witnesses),
        log=log,
        settings=service_settings(settings, limits),
        provider=make_provider(settings, clock),
    )
    checkpointer = Checkpointer(ctx, keys.audit)
    store.durable = checkpointer.durable
    ctx = point.around(ctx) if point else ctx
    return Services(settings, keys, engine, store, audit_log, ctx, meters, checkpointer)


def service_settings(settings: Settings, limits: Limits) -> ServiceSettings:
    """The settings as the use cases take them."""
    return ServiceSettings(
        public_url=settings.public_url or f"http://{settings.host}:{settings.reader_port}",
        staff_url=settings.staff_url or f"http://{settings.host}:{settings.staff_port}",
        sender=settings.sender,
        window=settings.window,
        window_networks=settings.window_networks,
        sign_in_life=timedelta(days=settings.sign_in_days),
        staff_sign_in_life=timedelta(hours=settings.staff_sign_in_hours),
        upload_bytes=settings.upload_mib * MIB,
        fetch_seconds=float(settings.fetch_seconds),
        open_registration=settings.open_registration,
        two_person=settings.two_person,
        identity_life=timedelta(days=settings.identity_days),
        record_life=timedelta(days=settings.record_days),
        retention_notice=timedelta(days=settings.retention_notice_days),
        limits=limits,
        pdf_policy=pdf_policy(settings),
        master_life=timedelta(days=settings.master_days),
        jobs_keep=timedelta(days=settings.jobs_keep_days),
        overshared_networks=settings.overshared_networks,
        overshared_within=timedelta(hours=settings.overshared_hours),
        paces=Paces(read_pace(settings.reader_pace), read_pace(settings.library_pace), read_pace(settings.token_pace)),
        outside=OutsideRules(
            settings.oidc_title,
            tuple(name.strip() for name in settings.oidc_libraries.split(",") if name.strip()),
            frozenset(settings.oidc_apps.split(",")) if settings.oidc_issuer else frozenset(),
            settings.oidc_library_claim,
            settings.oidc_category_claim,
            settings.oidc_card_claim,
        ),
        second_factor=settings.second_factor == "demanded",
        sign_in_pace=read_pace(settings.sign_in_pace),
    )


def pdf_policy(settings: Settings) -> Policy:
    """What the settings say about special files."""
    return Policy(
        engine=settings.pdf_engine,
        prepare_after=settings.prepare_after,
        signed=settings.pdf_signed,
        pdfa=settings.pdf_archival,
        damaged=settings.pdf_damaged,
        protected=settings.pdf_protected,
    )


def make_blobs(settings: Settings) -> Blobs:
    """The bucket of the settings, or a local folder. Nothing is asked of the store yet."""
    if not settings.blob_url:
        return LocalBlobs(settings.blob_folder)
    from storage.blobs.s3 import Bucket, S3Blobs

    parts = urlsplit(settings.blob_url)
    bucket = Bucket(
        str(parts.hostname),
        parts.path,
        settings.s3_endpoint,
        settings.s3_region,
        settings.s3_access_key,
        settings.s3_secret_key.get_secret_value(),
    )
    return S3Blobs(bucket, settings.home / "work")


def bounds_of(settings: Settings) -> Bounds:
    """How long the database may take in a process that serves or works."""
    return Bounds(
        settings.database_connect_seconds,
        settings.database_statement_seconds,
        settings.database_lock_seconds,
        settings.database_idle_seconds,
    )


def make_secrets(settings: Settings, bounds: Bounds | None = None) -> ReaderSecrets:
    """The database of the readers' secrets; SettingsError when it is the one that holds the ledger."""
    if settings.secrets == settings.database:
        raise SettingsError("RUSHLIGHT_SECRETS_URL: must be another database than the one that holds the ledger")
    return ReaderSecrets(settings.secrets, bounds)


def make_mailer(settings: Settings, clock: Clock = real_clock) -> Mailer:
    """The mail server of the settings, or the mail folder."""
    if not settings.smtp_url:
        return MailFolder(settings.mail_folder, settings.sender, clock)
    try:
        return SmtpMailer(settings.smtp_url, settings.sender, clock)
    except ValueError as error:
        raise SettingsError(f"RUSHLIGHT_SMTP_URL: {error}") from None


def make_provider(settings: Settings, clock: Clock = real_clock) -> IdentityProvider | None:
    """The OpenID provider of the settings. Nothing is asked of it yet."""
    if not settings.oidc_issuer:
        return None
    from fetchers.openid import OpenIdProvider

    secret = settings.oidc_client_secret.get_secret_value()
    return OpenIdProvider(
        settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_scopes, "Rushlight", clock
    )


def _fetchers(settings: Settings, meters: Meters) -> Callable[[Source], Fetcher]:
    @lru_cache(maxsize=256)
    def cached(source_id: str, kind: str, items: tuple[tuple[str, str], ...]) -> Fetcher:
        made = make_fetcher(source_id, kind, {**dict(items), "email": settings.unpaywall_email})
        return MeasuredFetcher(source_id, made, meters)

    def fetcher(source: Source) -> Fetcher:
        items = tuple(sorted((name, str(value)) for name, value in source.settings.items() if isinstance(value, str)))
        return cached(source.id, source.kind, items)

    return fetcher
