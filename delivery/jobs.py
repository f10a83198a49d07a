"""Work for later: rows with leases. The broker only rings; the row is the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FETCH = "fetch"
PREPARE = "prepare"
MAIL = "mail"
RETAIN = "retain"
DESTROY = "destroy"
CHECK = "check"
KINDS = (FETCH, PREPARE, MAIL, RETAIN, DESTROY, CHECK)


def backoff(attempt: int) -> timedelta:
    """Pause before the next attempt: 5 s, 10 s, 20 s ... at most 30 minutes."""
    return min(timedelta(seconds=5 * 2 ** min(max(0, attempt - 1), 9)), timedelta(minutes=30))


def tries_within(span: timedelta) -> int:
    """How often a job is tried for its last attempt to come no sooner than this after its first."""
    tries, waited = 1, timedelta()
    while waited < span:
        waited += backoff(tries)
        tries += 1
    return tries


MAX_ATTEMPTS = {FETCH: 6, PREPARE: 3, MAIL: tries_within(timedelta(days=1)), RETAIN: 6, DESTROY: 40, CHECK: 6}
"""After so many attempts a job is set aside for a person. A mail server may be away for a day."""

AWAY = frozenset({"blob-store", "database-away", "database-busy", "pdf-engine", "storage-full"})
"""Codes of troubles with a part of this service that a job has no hand in: they are waited for, asking again each minute."""
AWAY_PAUSE = timedelta(minutes=1)
AWAY_TRIES = 24 * 60
"""So often a job is tried while something is away: for a day."""

ENGINE_BUSY = "pdf-engine-busy"
BUSY_TRIES = 10
"""So often a document is worked on that others keep the processor from, with growing pauses: for three quarters of an hour. No longer,
for it may be the document that keeps the processor from others."""

POISON_TRIES = 2
"""A job that fails in a way that nobody foresaw is tried so often, and then set aside: it will fail the same way again."""

SUSPECT_DEATHS = 3
"""A job whose workers ended without a word so often in a row is run alone: who ends in company may have been a neighbour of the culprit."""
LONE_TRIES = 2
"""So often a suspect is run with nothing else in the process; when its worker ends each time, it is set aside for a person."""

LEASE = {
    FETCH: timedelta(minutes=5),
    PREPARE: timedelta(minutes=4),
    MAIL: timedelta(minutes=2),
    RETAIN: timedelta(minutes=5),
    DESTROY: timedelta(minutes=2),
    CHECK: timedelta(minutes=4),
}
"""How long a worker may be silent before its job is given to another, at most; an installation may say less."""


def leases(longest: timedelta) -> Mapping[str, timedelta]:
    """The lease of each kind of job where none may be longer than this."""
    return {kind: min(lease, longest) for kind, lease in LEASE.items()}


@dataclass(frozen=True)
class NewJob:
    """A job to be written in the transaction that makes it necessary. ``key`` makes a second one of the same a no-op.

    ``follows`` says that the worker which leaves it goes on with it at once: no bell is rung. Should it not, the sweeper does.
    """

    kind: str
    key: str
    payload: Mapping[str, str] = field(default_factory=dict)
    run_after: datetime | None = None
    follows: bool = False


@dataclass(frozen=True)
class Job:
    """A claimed job. ``attempt`` must still match when it is finished, or somebody else has taken it over.

    ``deaths`` counts the workers that ended without a word while they had it, since one last said something. A suspect's counts
    go on with each time that it begins alone. ``lease`` is how long the worker may be silent.
    """

    id: int
    kind: str
    key: str
    payload: Mapping[str, str]
    attempt: int
    deaths: int = 0
    lease: timedelta = timedelta(minutes=2)

    @property
    def is_suspect(self) -> bool:
        """Whether it must run alone."""
        return self.deaths >= SUSPECT_DEATHS

    @property
    def is_poison(self) -> bool:
        """Whether it has ended its worker each time that it ran alone."""
        return self.deaths >= SUSPECT_DEATHS + LONE_TRIES


@dataclass(frozen=True)
class SetAside:
    """A job that waits for a person: what it was about, and why it was set aside."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, str]
    attempt: int
    error: str
    at: datetime | None
