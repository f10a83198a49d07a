"""Examines an installation and says what to do about each fault."""

from __future__ import annotations

import shutil
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from admin.keys import read_keys
from admin.mail import SmtpMailer
from admin.settings import Settings, SettingsError
from admin.wiring import make_mailer, make_secrets, real_clock
from delivery.errors import DeliveryError
from delivery.services.log_checking import check_end
from drm.audit.chain import LogVerdict
from storage.engine import DatabaseFailure, open_engine
from storage.reader_secrets import counts_somebody

if TYPE_CHECKING:
    from admin.wiring import Services

LEAST_FREE = 512 * 1024 * 1024
NEWEST = 65_536
"""Events at the log's end that a quick look checks, in about a third of a second."""
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Finding:
    """One part of the installation: good or not, in words, and what to do."""

    part: str
    good: bool
    text: str
    advice: str = ""


def examine(settings: Settings, quick: bool = False) -> tuple[Finding, ...]:
    """All findings, in the order in which things depend on each other. ``quick`` looks at the end of the log and not at all of it."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("keys", _keys),
        ("database", _database),
        ("secrets", _secrets),
        ("blobs", _blobs),
        ("broker", _broker),
        ("fonts", _fonts),
        ("mail", _mail),
        ("log", _end_of_log if quick else _log),
        ("clock", _clock),
    )
    return tuple(check(settings) for _, check in checks)


def _keys(settings: Settings) -> Finding:
    try:
        read_keys(settings.key_file)
    except SettingsError as error:
        return Finding("keys", False, str(error), "run 'rushlight init', or restore keys.json from your backup")
    return Finding("keys", True, f"{settings.key_file} is there, private and strong")


def _database(settings: Settings) -> Finding:
    from storage.migrating import current, head

    engine = open_engine(settings.database)
    try:
        found, wanted = current(engine), head()
    except DatabaseFailure as error:
        return Finding(
            "database", False, f"does not answer ({type(error).__name__})", "start it, or mend RUSHLIGHT_DATABASE_URL"
        )
    finally:
        engine.dispose()
    if found != wanted:
        return Finding(
            "database", False, f"is at revision {found}, this version needs {wanted}", "run 'rushlight migrate'"
        )
    return Finding("database", True, f"{engine.dialect.name} at revision {found}")


def _secrets(settings: Settings) -> Finding:
    advice = "mend RUSHLIGHT_SECRETS_URL, or restore the file from its last copy; without it readers are counted afresh"
    try:
        secrets = make_secrets(settings)
        kept = secrets.check()
        secrets.engine.dispose()
    except SettingsError as error:
        return Finding("secrets", False, str(error), "name another database")
    except (DatabaseFailure, OSError) as error:
        return Finding("secrets", False, f"do not answer ({type(error).__name__})", advice)
    engine = open_engine(settings.database)
    try:
        lost = not kept and counts_somebody(engine)
    finally:
        engine.dispose()
    if lost:
        return Finding("secrets", False, "there are none, though the ledger counts readers", advice)
    return Finding("secrets", True, f"{kept} readers' secrets apart from the ledger")


def _blobs(settings: Settings) -> Finding:
    return _bucket(settings) if settings.blob_url else _folder(settings)


def _bucket(settings: Settings) -> Finding:
    from admin.wiring import make_blobs
    from storage.blobs.s3 import S3Blobs

    try:
        blobs = make_blobs(settings)
        assert isinstance(blobs, S3Blobs)
        blobs.probe()
    except DeliveryError as error:
        return Finding(
            "blobs", False, error.text, "start the store, or mend RUSHLIGHT_BLOB_URL and the RUSHLIGHT_S3_ settings"
        )
    return Finding("blobs", True, f"{settings.blob_url} can be written and read")


def _folder(settings: Settings) -> Finding:
    folder = settings.blob_folder
    probe = folder / "work.tmp" / "probe"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"probe")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            "blobs",
            False,
            f"{folder} cannot be written ({error.strerror})",
            "give the service's user the right to write there",
        )
    if free < LEAST_FREE:
        return Finding("blobs", False, f"only {free // 2**20} MiB are free", "make room on the disk, at least 512 MiB")
    return Finding("blobs", True, f"{folder} can be written, {free // 2**30} GiB free")


def _broker(settings: Settings) -> Finding:
    if not settings.broker_url:
        return Finding("broker", True, "none set: jobs run in the serving process")
    from admin.celery_app import make_celery

    try:
        with make_celery(settings.broker_url).connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, timeout=4)
    except Exception as error:  # noqa: BLE001 - every broker library has errors of its own
        return Finding(
            "broker", False, f"does not answer ({type(error).__name__})", "start it, or mend RUSHLIGHT_BROKER_URL"
        )
    return Finding("broker", True, "answers")


def _fonts(settings: Settings) -> Finding:
    from drm.pdf.fonts import font_files

    missing = [path.name for path in font_files() if not path.is_file()]
    if missing:
        return Finding(
            "fonts", False, f"missing: {', '.join(missing)}", "install Rushlight again: the fonts are part of it"
        )
    return Finding("fonts", True, f"{len(font_files())} fonts are there")


def _mail(settings: Settings) -> Finding:
    try:
        mailer = make_mailer(settings)
        if isinstance(mailer, SmtpMailer):
            mailer.probe()
            return Finding("mail", True, "the mail server answers")
    except (SettingsError, OSError, smtplib.SMTPException) as error:
        return Finding("mail", False, f"{error}", "start the mail server, or mend RUSHLIGHT_SMTP_URL")
    return Finding("mail", True, f"mails go to {settings.mail_folder}")


def _log(settings: Settings) -> Finding:
    found = _checked(settings, lambda services: services.ctx.check_log())
    return Finding("log", True, f"whole, {found.size} events") if isinstance(found, LogVerdict) else found


def _end_of_log(settings: Settings) -> Finding:
    def check(services: Services) -> LogVerdict:
        head = services.audit_log.kept_head()  # first: what is written while we read must not look like a cut tail
        return check_end(services.store, services.audit_log.key, services.ctx.log.keys, head, NEWEST)

    found = _checked(settings, check)
    if not isinstance(found, LogVerdict):
        return found
    told = "whole" if found.size <= NEWEST else f"the last {NEWEST} are whole, the others are checked by rushlight fsck"
    return Finding("log", True, f"{found.size} events, {told}")


def _checked(settings: Settings, check: Callable[[Services], LogVerdict]) -> Finding | LogVerdict:
    """The verdict on a log that is whole, else what is wrong."""
    from admin.wiring import build_services

    try:
        services = build_services(settings)
        try:
            verdict = check(services)
        finally:  # the page of an operator asks again and again
            services.engine.dispose()
            services.store.secrets.engine.dispose()
    except (SettingsError, DatabaseFailure) as error:
        return Finding("log", False, f"cannot be checked ({type(error).__name__})", "mend the faults above first")
    except Exception as error:  # noqa: BLE001 - a doctor must finish the round
        return Finding("log", False, f"cannot be checked ({type(error).__name__})", "mend the faults above first")
    if not verdict.whole:
        return Finding("log", False, verdict.problem, "keep the database as it is and ask who had access to it")
    return verdict


def _clock(settings: Settings) -> Finding:
    now = real_clock()
    if now < EARLIEST:
        return Finding(
            "clock", False, f"shows {now.isoformat()}, which is in the past", "set the clock; run a time service"
        )
    return Finding("clock", True, f"shows {now.strftime('%Y-%m-%d %H:%M:%S')} UTC")
