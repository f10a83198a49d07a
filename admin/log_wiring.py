"""Puts the audit log's parts together: keys, places outside, checking, and the checkpoints of this process."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path
from urllib.parse import urlsplit

from admin.log_keys import make_log_keys, read_log_keys
from admin.process_log import log
from admin.settings import Settings, SettingsError
from delivery.errors import DeliveryError
from delivery.log_places import LogSettings, Place, PlaceFailed, Seen
from delivery.ports import Clock, Letter, Mailer, MailFailed
from delivery.services.checking_cosignatures import check_cosignatures
from delivery.services.checkpointing import make_checkpoint
from delivery.services.context import Context
from delivery.services.log_checking import Known, Part, PartFound, check_part, check_whole_log
from drm.audit.chain import LogVerdict
from drm.audit.keys import LogKeys
from drm.audit.notes import COSIGNED, PLAIN, Verifier
from fetchers.log_witness import WitnessPlace
from storage.audit_log import AuditLog
from storage.engine import open_engine
from storage.log_folder import FolderPlace
from storage.reader_secrets import ReaderSecrets
from storage.unit_of_work import SqlStore

DAY = 86_400
REFUSED_PAUSE = 60.0


class MailPlace:
    """An auditor's mailbox: one checkpoint a day."""

    every_seconds = DAY

    def __init__(self, address: str, mailer: Mailer, origin: str) -> None:
        self.name = f"mailto:{address}"
        self._address, self._mailer, self._origin = address, mailer, origin

    def give(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> str:
        """Mail the checkpoint. The same one has the same Message-ID."""
        text, size = note.decode(), note.split(b"\n")[1].decode()
        said = f"The audit log {self._origin} has {size} events. Keep this mail: with it you can tell whether any was changed.\n\n"
        letter = Letter(
            to=self._address,
            subject=f"Checkpoint of the audit log {self._origin}: {size} events",
            text=said + text,
            html=f"<p>{html.escape(said)}</p><pre>{html.escape(text)}</pre>",
            message_id=f"<checkpoint-{size}@{self._origin.partition('/')[0].partition(':')[0]}>",
            language="en",
        )
        try:
            self._mailer.send(letter)
        except MailFailed as error:
            raise PlaceFailed(f"the mail did not go ({error})") from None
        return ""

    def seen(self, note: bytes, old: int, prove: Callable[[int], list[bytes]]) -> Seen:
        """A mailbox cannot be asked: 'rushlight audit verify --from-checkpoint' takes what was mailed."""
        return Seen(None)


def log_settings(settings: Settings, mailer: Mailer, clock: Clock) -> LogSettings:
    """The log's settings; SettingsError names what is wrong. Keys that are missing are made: an older installation has none."""
    make_log_keys(settings, clock())
    keys = read_log_keys(settings.log_key_file)
    return LogSettings(
        keys=keys,
        seconds=settings.checkpoint_seconds,
        events=settings.checkpoint_events,
        public_entries=settings.log_entries == "public",
        witnessed=tuple(_verifier(text, PLAIN, "RUSHLIGHT_LOG_WITNESSED") for text in settings.log_witnessed.split()),
        places=(places := tuple(_place(text, settings, mailer, clock, keys) for text in settings.log_places.split())),
        witnesses=tuple(place.verifier for place in places if isinstance(place, WitnessPlace)),
    )


def _verifier(text: str, kind: int, setting: str) -> Verifier:
    try:
        found = Verifier.read(text)
    except ValueError as error:
        raise SettingsError(f"{setting}: {error}") from None
    if found.kind != kind:
        wanted = "a log" if kind == PLAIN else "a witness"
        raise SettingsError(f"{setting}: {text[:80]!r} is no key of {wanted}")
    return found


def _place(text: str, settings: Settings, mailer: Mailer, clock: Clock, keys: LogKeys) -> Place:
    parts = urlsplit(text)
    if parts.scheme == "folder" and parts.path.startswith("/"):
        return FolderPlace(Path(parts.path))
    if parts.scheme == "mailto" and "@" in parts.path:
        return MailPlace(parts.path, mailer, keys.origin)
    if parts.scheme == "s3" and parts.hostname:
        from storage.blobs.s3 import Bucket
        from storage.blobs.s3_log import S3Place

        secret = settings.s3_secret_key.get_secret_value()
        where = Bucket(
            parts.hostname, parts.path, settings.s3_endpoint, settings.s3_region, settings.s3_access_key, secret
        )
        return S3Place(where, clock)
    if parts.scheme in {"http", "https"} and parts.hostname and parts.fragment:
        url, _, key = text.partition("#")
        return WitnessPlace(url, _verifier(key, COSIGNED, "RUSHLIGHT_LOG_PLACES"), f"Rushlight ({keys.origin})")
    raise SettingsError(
        f"RUSHLIGHT_LOG_PLACES: {text[:80]!r} is none of folder:/path, s3://bucket/prefix, mailto:address, https://partner/log#KEY"
    )


def check_log(
    store: SqlStore,
    audit_log: AuditLog,
    keys: LogKeys,
    known: Sequence[Known] = (),
    processes: int = 1,
    url: str = "",
    witnesses: Sequence[Verifier] = (),
) -> LogVerdict:
    """Verify the whole log against its chain, its tree, its checkpoints, the head file, and what is ``known`` from outside.

    What ``witnesses`` signed is held against the checkpoints too. ``processes`` beyond one read the database ``url`` beside each other.
    """
    try:
        # The head first: what is written while we read must not look like a cut tail.
        head = audit_log.kept_head()
    except (OSError, ValueError, KeyError):
        return LogVerdict(False, 0, None, "the head file beside the database cannot be read")

    def check(part: Part) -> PartFound:
        return check_part(store, audit_log.key, keys, part)

    if processes < 2:
        verdict = check_whole_log(store, keys, head, known, check)
    else:
        # Children begin with a fork: they have the keys already, and open the database anew.
        with get_context("fork").Pool(processes, _begin, (url, audit_log.key, keys, store.secrets)) as pool:
            verdict = check_whole_log(store, keys, head, known, check, lambda parts: pool.imap(_check_in_child, parts))
    return check_cosignatures(store, witnesses, verdict.size) if verdict.whole else verdict


_child: list[tuple[SqlStore, bytes, LogKeys]] = []


def _begin(url: str, audit_key: bytes, keys: LogKeys, secrets: ReaderSecrets) -> None:
    _child.append((SqlStore(open_engine(url), AuditLog(audit_key, None), secrets), audit_key, keys))


def _check_in_child(part: Part) -> PartFound:
    store, audit_key, keys = _child[0]
    return check_part(store, audit_key, keys, part)


def processors() -> int:
    """How many processors this process may use."""
    return len(sched_getaffinity(0))


class Checkpointer:
    """Signs at once when many events have come. The log's keeper signs what has waited long enough."""

    def __init__(self, ctx: Context, audit_key: bytes) -> None:
        self._ctx, self._audit_key = ctx, audit_key
        self._lock = threading.Lock()
        self._signed = 0
        self._refused = float("-inf")

    def durable(self, size: int) -> None:
        """Events up to ``size`` are durable now. Never raises: what they stand for has been done."""
        if size - self._signed < self._ctx.log.events or not self._lock.acquire(blocking=False):
            return
        try:
            self.sign()
        finally:
            self._lock.release()

    def sign(self) -> None:
        """Sign where it is due. What stands in the way goes to the process log, and is looked at again a minute later."""
        if time.monotonic() - self._refused < REFUSED_PAUSE:
            return
        try:
            make_checkpoint(self._ctx, self._audit_key)
            with self._ctx.store.read() as work:
                last = work.tree.last_checkpoint()
        except DeliveryError as error:
            self._refused = time.monotonic()
            log().error("log.checkpoint_refused", code=error.code, detail=error.text)
            return
        # Another process may have signed meanwhile.
        self._signed = last.size if last is not None else 0
