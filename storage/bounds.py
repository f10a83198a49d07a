"""How long PostgreSQL may take: limits that the server keeps."""

from __future__ import annotations

from dataclasses import dataclass

CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Bounds:
    """Seconds for a connection to be made, for one statement, for one lock, and for a transaction that stands idle."""

    connect: int = CONNECT_SECONDS
    statement: int = 30
    lock: int = 10
    idle: int = 60

    @property
    def options(self) -> str:
        """What the server is told of them at the start of a connection."""
        told = {"statement": self.statement, "lock": self.lock, "idle_in_transaction_session": self.idle}
        return " ".join(f"-c {name}_timeout={seconds * 1000}" for name, seconds in told.items())
