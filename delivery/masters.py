"""Prepared documents that are kept: which source they come from, where they lie, and for how long they are used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from drm.pdf.tail.values import Master


@dataclass(frozen=True)
class KeptMaster:
    """A master in the blob store with its record.

    ``only_for`` is the claim of the one copy that it may serve, where the agreement has the source destroyed; else empty.
    A retired master serves no new copies; those that it has keep it until their links end.
    """

    master: Master
    blob: str
    made_at: datetime
    only_for: str = ""
    used_at: datetime | None = None
    retired_at: datetime | None = None
    retired_reason: str = ""

    @property
    def id(self) -> str:
        """The SHA-256 of its bytes."""
        return self.master.id


@dataclass(frozen=True)
class MasterWish:
    """What a copy needs of a master: the source, encrypted or plain, for which claim, and not made before ``since``."""

    source_sha256: str
    encrypted: bool
    only_for: str
    since: datetime

    def fits(self, kept: KeptMaster) -> bool:
        """Whether a master that is neither retired nor gone is one of these."""
        return (
            kept.master.source_sha256 == self.source_sha256
            and kept.master.encrypted == self.encrypted
            and kept.only_for == self.only_for
            and kept.made_at > self.since
        )
