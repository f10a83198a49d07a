"""Opening a delivery: the landing page counts nothing, one POST opens a window, and the window serves the file."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from delivery.copies import CopyState, Delivery, Window
from delivery.document_request import DocumentRequest
from delivery.errors import Conflict, NotAllowed, NotFound
from delivery.numbers import delivery_of_code
from delivery.people import Library, Person
from delivery.ports import Work
from delivery.services import pacing, watching
from delivery.services.context import Context
from delivery.services.copy_reading import Download
from delivery.services.preparing import read_ready
from drm.audit.events import Event
from drm.tokens import TokenError, secret_hash, window_secret

NONCE = "open"


class LinkState(StrEnum):
    """What a link is good for at this moment."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"
    USED_UP = "used_up"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class LinkView:
    """What the landing page may show to whoever holds the link: never the reader's name or quota.

    For an unknown link only ``state`` is set. ``nonce`` stands in the form of a live link.
    """

    state: LinkState
    delivery: Delivery | None = None
    request: DocumentRequest | None = None
    library: Library | None = None
    nonce: str = ""
    needs_sign_in: bool = False

    @property
    def opens_left(self) -> int | None:
        """Opens left; None where there is no limit."""
        if self.delivery is None or self.delivery.opens_limit is None:
            return None
        return max(0, self.delivery.opens_limit - self.delivery.opens_used)


@dataclass(frozen=True)
class RetryKey:
    """In place of a page's nonce: what a program calls one open of its own, however often it asks for it."""

    text: str


@dataclass(frozen=True)
class Opened:
    """A download window's address: the secret and the file's name."""

    secret: str
    filename: str
    view_only: bool = False


@dataclass(frozen=True)
class Genuine:
    """What the check page says: genuine or withdrawn, library and month, and nothing else."""

    withdrawn: bool
    library: Library
    year: int
    month: int


def state_of(delivery: Delivery, now: datetime) -> LinkState:
    """What a delivery's link is good for at an instant."""
    if delivery.state is CopyState.REVOKED:
        return LinkState.REVOKED
    if delivery.state is CopyState.REPLACED:
        return LinkState.REPLACED
    if delivery.state is CopyState.EXPIRED or (delivery.expires_at is not None and now >= delivery.expires_at):
        return LinkState.EXPIRED
    if delivery.opens_limit is not None and delivery.opens_used >= delivery.opens_limit:
        return LinkState.USED_UP
    return LinkState.LIVE


def look(ctx: Context, token: str, address: str = "") -> LinkView:
    """What the link's page shows. Counts nothing; forged and unknown links look the same.

    A network that asks for the first time, where an ``address`` is given, is noted against oversharing.
    """
    try:
        number = ctx.links.read(token)
        with ctx.store.read() as work:
            delivery = work.deliveries.get(number)
            request = work.requests.get(delivery.request)
            library = work.libraries.get(delivery.library_id)
            network = watching.news(ctx, work, delivery, address) if address else ""
    except (TokenError, NotFound):
        return LinkView(LinkState.UNKNOWN)
    watching.note(ctx, delivery, network)
    state = state_of(delivery, ctx.clock())
    nonce = ctx.signer(NONCE).sign([number, secrets.token_hex(16)]) if state is LinkState.LIVE else ""
    return LinkView(state, delivery, request, library, nonce, delivery.same_reader_only)


def machine_hit(ctx: Context, token: str) -> None:
    """Note a visit by a scanner, prefetcher or preview. It is shown to the librarian and never counts."""
    view = look(ctx, token)
    if view.delivery is None:
        return
    with ctx.store.write() as work:
        count = work.deliveries.count_machine_hit(view.delivery.number)
        if count == 1:
            delivery = view.delivery
            work.record(
                Event(
                    "link:machine_hit", ctx.clock(), "machine", delivery.library_id, delivery.request, delivery.number
                )
            )


def open_window(
    ctx: Context, token: str, nonce: str | RetryKey, person: Person | None, device: str = "", token_id: str = ""
) -> Opened:
    """Count one open and start a download window. The same nonce or key again leads to the same window and is not counted.

    Conflict with the link's state as code when it may not be opened, or as other-device where the agreement permits the first
    device alone; NotAllowed when only the signed-in reader may; TooFast when he, his library or the API token takes too much.
    """
    view = look(ctx, token)
    if view.delivery is None:
        raise NotFound("unknown-link", "This link is not known here.")
    delivery = view.delivery
    if delivery.same_reader_only and (person is None or person.reader_key != delivery.reader_key):
        raise NotAllowed("sign-in-to-open", "Only the reader who asked may open this, signed in.")
    secret = _secret_of(ctx, delivery, nonce, person)
    now = ctx.clock()
    with pacing.alarming(ctx, pacing.OPEN), ctx.store.write() as work:
        # Whoever presses at the same moment waits here, and then finds the mark and the window of this one.
        delivery = _same_device(work, work.deliveries.lock(delivery.number), device)
        used = _once_used(ctx, work, delivery, now)
        window = Window(secret_hash(secret), delivery.number, now, _end_of_window(ctx, used, now))
        known = work.deliveries.window(window.secret_hash) is not None
        if not work.deliveries.open_window(delivery.number, window, now):
            state = state_of(delivery, now)
            code = LinkState.USED_UP if state is LinkState.LIVE else state
            raise Conflict(f"link-{code}", "This link can no longer be opened.")
        if not known:
            pacing.take_open(ctx, work, delivery, token_id)
            if used is not delivery:
                work.deliveries.save(used)
            work.record(Event("window:opened", now, "reader", delivery.library_id, delivery.request, delivery.number))
    return Opened(secret, delivery.filename, bool(delivery.terms.get("view_only")))


def _end_of_window(ctx: Context, delivery: Delivery, now: datetime) -> datetime:
    ends = now + ctx.settings.window
    return ends if delivery.expires_at is None else min(ends, delivery.expires_at)


def _same_device(work: Work, delivery: Delivery, device: str) -> Delivery:
    """Where an agreement permits the first device alone: keep its mark at the first open, and refuse others afterwards.

    The copy is held; returned as it is from here on.
    """
    if not delivery.terms.get("same_device"):
        return delivery
    mark = secret_hash(device) if device else ""
    known = delivery.terms.get("device")
    if not mark or (known is not None and known != mark):
        raise Conflict("other-device", "The agreement permits this document on the device that opened it first.")
    if known is None:
        delivery = replace(delivery, terms={**delivery.terms, "device": mark})
        work.deliveries.save(delivery)
    return delivery


def _once_used(ctx: Context, work: Work, delivery: Delivery, now: datetime) -> Delivery:
    """The copy with the end that its link has once it is opened ``now``, its opens not counted yet.

    The first open starts what runs from first use: the link may end sooner, or later, than it would have unopened.
    """
    if delivery.opens_used or delivery.open_access or state_of(delivery, now) is not LinkState.LIVE:
        return delivery
    ready = read_ready(ctx, work, work.requests.get(delivery.request))
    if not ready.terms.begins_with_use:
        return delivery
    return replace(delivery, expires_at=ready.terms.expires_after_use(delivery.issued_at, now, ready.library.tz))


def device_of(ctx: Context, nonce: str) -> str:
    """What a device without a mark of its own is known by. The same page gives the same: who presses again, for the answer with
    his mark was lost on the way, is let in again."""
    return window_secret(ctx.ring.derive("rushlight.device.v1"), nonce)


def _secret_of(ctx: Context, delivery: Delivery, nonce: str | RetryKey, person: Person | None) -> str:
    key = ctx.ring.derive("rushlight.window.v1")
    if isinstance(nonce, RetryKey):
        # No signed nonce has a stroke in it.
        return window_secret(key, f"{person.id if person else ''}|{delivery.number}|{nonce.text}")
    try:
        number, _ = ctx.signer(NONCE).read(nonce, ctx.settings.nonce_life)
    except (TokenError, ValueError):
        raise Conflict("stale-page", "This page is too old. Load it again and press the button once more.") from None
    if number != delivery.number:
        raise Conflict("stale-page", "This page belongs to another link. Load it again.")
    return window_secret(key, nonce)


def find_download(ctx: Context, secret: str, address: str, count: bool = True) -> tuple[Download | None, str]:
    """The file behind a window's address, or None and the link's token for the way back.

    None when the window is over, revoked, or asked from a fourth network: then the landing page is the answer.
    ``count=False`` (HEAD) takes no place among the networks. NotFound for a secret we never gave out.
    """
    now = ctx.clock()
    digest = secret_hash(secret)
    network = _network(secret, address)
    with ctx.store.read() as work:
        found = work.deliveries.behind(digest, network)
    if found is None:
        raise NotFound("unknown-link", "This address is not known here.")
    delivery = found.delivery
    over = now >= found.window.ends_at or delivery.state is not CopyState.LIVE
    # most requests are ranges and resumes, from a network that is known: they write nothing
    if over or (count and not found.known and not _admit(ctx, digest, network, delivery, now, address)):
        return None, ctx.links.sign(delivery.number)
    return Download(delivery, found.tail if delivery.master else b""), ""


def _admit(ctx: Context, digest: str, network: str, delivery: Delivery, now: datetime, address: str) -> bool:
    with ctx.store.write() as work:
        admitted = work.deliveries.admit_network(digest, network, ctx.settings.window_networks)
        if admitted and work.deliveries.mark_served(digest):
            work.record(Event("window:served", now, "reader", delivery.library_id, delivery.request, delivery.number))
    watching.asked_from(ctx, delivery, address)
    return admitted


def _network(secret: str, address: str) -> str:
    """The /24 or /48 an address lies in, hashed under the window's secret, which is kept nowhere: equal only within the window,
    nothing to look up later, and the same after the service's keys have changed."""
    return hmac.new(secret.encode(), watching.network_of(address).encode(), hashlib.sha256).hexdigest()


def check_copy(ctx: Context, code: str) -> Genuine | None:
    """What a check code stands for; None for a code that is not ours."""
    # The code was made with the key of its day: copies are longer lived than keys.
    known = (delivery_of_code(key, code) for key in ctx.ring.all_for("rushlight.check.v1"))
    number = next((found for found in known if found is not None), None)
    if number is None:
        return None
    try:
        with ctx.store.read() as work:
            delivery = work.deliveries.get(number)
            library = work.libraries.get(delivery.library_id)
    except NotFound:
        return None
    local = delivery.issued_at.astimezone(library.zone)
    return Genuine(delivery.state in {CopyState.REVOKED, CopyState.REPLACED}, library, local.year, local.month)


def is_machine(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is a scanner's or a prefetch: HEAD, or a header that says so."""
    told = {name.lower(): value for name, value in headers.items()}
    purpose = " ".join(told.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")).lower()
    return method == "HEAD" or "prefetch" in purpose or "preview" in purpose
