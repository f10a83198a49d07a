"""One audit event and its canonical bytes, which later become a leaf of the log's tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

MAX_LEAF_BYTES = 2_000
"""Events hold ids, codes and digests only; anything longer is a mistake."""

KINDS = (
    "request:created",
    "request:decided",
    "request:refused",
    "request:held",
    "request:approved",
    "request:looked",
    "request:source_tried",
    "request:found",
    "request:to_desk",
    "request:claimed",
    "request:unclaimed",
    "request:edited",
    "request:told",
    "request:joined",
    "request:uploaded",
    "request:file_rejected",
    "request:message",
    "request:unfilled",
    "request:cancelled",
    "request:replaced",
    "request:rerouted",
    "declaration:signed",
    "declaration:exported",
    "declaration:shown",
    "fee:accepted",
    "fee:taken_over",
    "quota:reserved",
    "quota:settled",
    "quota:released",
    "quota:refunded",
    "copy:supplied",
    "copy:previewed",
    "copy:revoked",
    "copy:extended",
    "copy:resent",
    "copy:renewed",
    "copy:expired",
    "copy:removed",
    "copy:checked",
    "copy:remade",
    "master:kept",
    "master:retired",
    "master:removed",
    "master:rewrapped",
    "window:opened",
    "window:served",
    "link:machine_hit",
    "link:overshared",
    "pace:exceeded",
    "mail:sent",
    "mail:failed",
    "mail:shown",
    "person:added",
    "person:confirmed",
    "person:signed_in",
    "person:sign_in_failed",
    "person:sign_in_throttled",
    "person:joined_provider",
    "person:signed_out",
    "factor:added",
    "factor:used",
    "factor:failed",
    "factor:removed",
    "factor:reset",
    "factor:codes_renewed",
    "person:password_set",
    "person:disabled",
    "person:changed",
    "person:forgotten",
    "hold:placed",
    "hold:lifted",
    "retention:announced",
    "retention:postponed",
    "retention:done",
    "reader:unlinked",
    "record:purged",
    "reader:shown",
    "declaration:erased",
    "act:asked",
    "act:granted",
    "act:refused",
    "quota:corrected",
    "quota:breach",
    "token:issued",
    "token:revoked",
    "agreement:loaded",
    "agreement:drafted",
    "agreement:proposed",
    "agreement:sent_back",
    "agreement:confirmed",
    "agreement:simulated",
    "agreement:bound",
    "source:kept",
    "source:destroyed",
    "source:disabled",
    "title:linked",
    "report:made",
    "log:exported",
    "log:verified",
    "fsck:repaired",
    "job:retried",
    "job:dismissed",
    "data:moved",
    "log:rolled_back",
)
"""Every act that leaves a leaf, as object:act."""


@dataclass(frozen=True)
class Event:
    """One act. ``actor`` is a pseudonym, "system" or "partner:ID"; ids and codes only, never names, addresses, tokens or free text."""

    kind: str
    at: datetime
    actor: str
    library: str = ""
    request: str = ""
    delivery: str = ""
    agreements: tuple[tuple[str, int], ...] = ()
    facts: str = ""
    digest: str = ""
    code: str = ""
    counts: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of event {self.kind!r}")
        if self.at.tzinfo is None:
            raise ValueError("an event's time must be aware")


def canonical_time(at: datetime) -> str:
    """UTC to the microsecond with a Z, always 27 characters."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical_json(value: object) -> bytes:
    """Sorted keys, UTF-8, no blanks; ValueError for a number that is none."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def leaf_bytes(seq: int, event: Event) -> bytes:
    """The canonical JSON of an event: sorted keys, UTF-8, no blanks, no floats, empty fields left out.

    Promises the same bytes for the same event on every machine. Raises ValueError for a leaf above MAX_LEAF_BYTES.
    """
    content: dict[str, object] = {"seq": seq, "at": canonical_time(event.at), "kind": event.kind, "actor": event.actor}
    for name in ("library", "request", "delivery", "facts", "digest", "code"):
        value = getattr(event, name)
        if value:
            content[name] = value
    if event.agreements:
        content["agreements"] = [f"{name}@{version}" for name, version in event.agreements]
    if event.counts:
        content["counts"] = event.counts
    leaf = canonical_json(content)
    if len(leaf) > MAX_LEAF_BYTES:
        raise ValueError(f"an audit event of {len(leaf)} bytes is too long")
    return leaf


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(leaf).digest()
