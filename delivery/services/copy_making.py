"""Making one reader's copy: a tail for a master that is kept or made now, or a whole file, and why which."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from delivery.blob_names import master_blob
from delivery.copy_terms import AgreedTerms
from delivery.document_request import DocumentRequest
from delivery.masters import KeptMaster, MasterWish
from delivery.people import Library, Person
from delivery.ports import Blob
from delivery.services.context import Context
from delivery.stores import Source
from drm.audit.events import Event
from drm.pdf.policy import FileFacts, choose_engine, facts_in
from drm.pdf.tail.copying import OWN_FAULTS, tail_report
from drm.pdf.tail.keys import MasterKeys
from drm.pdf.tail.light import check_tail
from drm.pdf.tail.personalise import personalise
from drm.pdf.tail.values import etag_of
from drm.pdf.values import CopyReport, CopySpec, PdfRefused

CHECKED_OF = 100
ANYBODY = "Alexandra Montgomery-Fitzwilliam"
"""The reader whom a master is prepared for: nobody, with a name as long as names get."""


@dataclass(frozen=True)
class Ready:
    """Everything that making a copy needs, read in one go. ``destroy`` tells that nothing of the source may be kept.

    ``masters`` are those of the source that are neither retired nor gone, the newest first; None where nobody looked.
    """

    request: DocumentRequest
    library: Library
    reader: Person | None
    terms: AgreedTerms
    source: Source
    destroy: bool = False
    masters: tuple[KeptMaster, ...] | None = None


@dataclass(frozen=True)
class Made:
    """A copy that is ready to be published: the blob that it begins with, and the tail that follows."""

    report: CopyReport
    blob: Blob
    tail: bytes = b""
    master: KeptMaster | None = None

    @property
    def whole(self) -> bool:
        """Whether the blob is the whole copy, which nothing else uses."""
        return self.master is None


@dataclass(frozen=True)
class CopyOrder:
    """One copy to be made: what for, how it looks, and the password that shall open it, if any."""

    ready: Ready
    spec: CopySpec
    password: str | None

    @property
    def source_sha256(self) -> str:
        """The SHA-256 of the file that the copy is made from."""
        return str(self.ready.request.found.get("sha256", ""))

    @property
    def encrypted(self) -> bool:
        """Whether the copy is encrypted."""
        return self.spec.permissions.encrypt or bool(self.password)


def make(ctx: Context, order: CopyOrder, alive: Callable[[], None]) -> Made:
    """Make a copy and store what it is made of; PdfRefused says why not, and then nothing of it is left.

    The engine follows from the policy. Where that leaves the choice and a master does not pass its own checks, the copy
    becomes a whole file; the report says so.
    """
    policy = ctx.settings.pdf_policy
    kept = _kept(ctx, order) if policy.engine != "rewrite" else None
    choice = choose_engine(_facts(ctx, order, kept), policy)
    if choice.engine == "rewrite":
        return _whole(ctx, order, choice.reason)
    if kept is not None:
        return _tail(ctx, order, kept, choice.reason)
    try:
        return _tail(ctx, order, _prepared(ctx, order, alive), choice.reason)
    except PdfRefused as refusal:
        if refusal.code not in OWN_FAULTS or policy.engine == "tail":
            raise
        return _whole(ctx, order, "engine-fell-back", f"{refusal.code}: {refusal.text}")


def _facts(ctx: Context, order: CopyOrder, kept: KeptMaster | None) -> FileFacts:
    """What the choice depends on; the file itself is only looked at where it matters."""
    policy = ctx.settings.pdf_policy
    facts = FileFacts()
    if policy.engine == "auto" and policy.pdfa == "keep":
        with ctx.blobs.local(str(order.ready.request.found["blob"])) as source:
            facts = facts_in(ctx.pdf.inspect(source))
    if kept is None and policy.prepare_after > 1:
        with ctx.store.read() as work:
            facts = replace(facts, deliveries=work.deliveries.made_from(order.source_sha256))
    return replace(facts, has_master=kept is not None)


def _kept(ctx: Context, order: CopyOrder) -> KeptMaster | None:
    """A master young enough for this copy, of a source that may be kept, whose key and blob are there."""
    wish = MasterWish(order.source_sha256, order.encrypted, _only_for(order), ctx.clock() - ctx.settings.master_life)
    known = order.ready.masters
    if known is None:
        with ctx.store.read() as work:
            kept = work.masters.find(wish)
    else:
        kept = next((one for one in known if wish.fits(one)), None)
    if kept is None or not ctx.blobs.exists(kept.blob):
        return None
    if kept.master.encrypted and kept.master.key_version not in ctx.ring.keys:
        return None
    return kept


def _only_for(order: CopyOrder) -> str:
    return order.ready.request.claim if order.ready.destroy else ""


def _prepared(ctx: Context, order: CopyOrder, alive: Callable[[], None]) -> KeptMaster:
    """A new master in the blob store, with its record."""
    typical = replace(order.spec, reader=ANYBODY if order.spec.reader else None)
    keys = MasterKeys(ctx.ring)
    with ctx.blobs.workspace() as folder, ctx.blobs.local(str(order.ready.request.found["blob"])) as source:
        alive()
        master = ctx.pdf.prepare(source, folder / "master", typical, order.encrypted, keys)
        alive()
        blob = ctx.blobs.put(master_blob(master.id), folder / "master")
    kept = KeptMaster(master, blob.name, ctx.clock(), _only_for(order))
    with ctx.store.write() as work:
        work.masters.add(kept)
        work.record(Event("master:kept", kept.made_at, "system", digest=kept.id))
    return kept


def _tail(ctx: Context, order: CopyOrder, kept: KeptMaster, why: str) -> Made:
    """A copy of a master: no file is opened."""
    tail = personalise(kept.master, order.spec, MasterKeys(ctx.ring), order.password)
    check_tail(kept.master, tail)
    report = replace(tail_report(kept.master, tail, order.spec), engine_reason=why)
    return Made(report, Blob(kept.blob, kept.id, kept.master.base_len), tail.data, kept)


def _whole(ctx: Context, order: CopyOrder, why: str, fallback: str | None = None) -> Made:
    """A whole file, proved and stored."""
    with ctx.blobs.workspace() as folder, ctx.blobs.local(str(order.ready.request.found["blob"])) as source:
        report = ctx.pdf.make_copy(source, folder / "copy.pdf", order.spec, order.password)
        name = f"copies/{order.spec.delivery.lower()}-{report.sha256[:16]}.pdf"
        blob = ctx.blobs.put(name, folder / "copy.pdf")
    return Made(replace(report, engine_reason=why, fallback_reason=fallback), blob)


def digest_of(master: str, tail: bytes) -> str:
    """What stands as the SHA-256 of a copy that is never one file: that of "master id|SHA-256 of the tail"."""
    return etag_of(master, hashlib.sha256(tail).hexdigest()).strip('"')


def is_drawn(delivery: str) -> bool:
    """Whether this copy is one of the hundred that is checked in full afterwards: by its number, so always the same ones."""
    return int.from_bytes(hashlib.sha256(f"check|{delivery}".encode()).digest()[:4], "big") % CHECKED_OF == 0
