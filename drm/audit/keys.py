"""The keys that sign checkpoints, apart from every other key, each with the time in which it signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from drm.audit.notes import COSIGNED, Signer, Verifier

AHEAD = timedelta(minutes=10)
"""How far the clocks of two of our hosts may differ when a key is new."""


@dataclass(frozen=True)
class LogKey:
    """One key: its secret seed, from when on it signs, and until when (exclusive; None: without end)."""

    seed: bytes
    since: datetime
    until: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether a checkpoint of this time may be signed by it."""
        return self.since - AHEAD <= at and (self.until is None or at < self.until)

    def __repr__(self) -> str:
        return f"LogKey(since={self.since}, until={self.until})"


@dataclass(frozen=True)
class LogKeys:
    """The log's name, all its keys, the oldest first, and the secret under which we witness other logs."""

    origin: str
    keys: tuple[LogKey, ...]
    witness_seed: bytes

    def __repr__(self) -> str:
        return f"LogKeys({self.origin!r})"

    def signer(self, now: datetime) -> Signer:
        """The newest key that holds now. ValueError where none does."""
        for key in reversed(self.keys):
            if key.holds_at(now):
                return Signer(self.origin, key.seed)
        raise ValueError("no key of the log holds now")

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """All public keys, those that no longer sign too: what they signed stays signed."""
        return tuple(Signer(self.origin, key.seed).verifier for key in self.keys)

    def held_at(self, verifier: Verifier, at: datetime) -> bool:
        """Whether this key might sign at that time."""
        return any(key.holds_at(at) for key in self.keys if Signer(self.origin, key.seed).verifier == verifier)

    @property
    def witness(self) -> Signer:
        """What we sign other logs' checkpoints with."""
        return Signer(f"{self.origin}/witness", self.witness_seed, COSIGNED)

    def published(self) -> str:
        """The list of public keys with their dates, a line each, as it is given out."""
        lines = [f"# Keys of the log {self.origin}: verifier key, first and last time of signing (UTC)"]
        for key, verifier in zip(self.keys, self.verifiers, strict=True):
            until = key.until.isoformat() if key.until else "-"
            lines.append(f"log {verifier} {key.since.isoformat()} {until}")
        lines.append(f"witness {self.witness.verifier} - -")
        return "\n".join(lines) + "\n"
