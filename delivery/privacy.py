"""Who may be known for how long: legal holds, acts that need two persons, rounds of forgetting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from delivery.document_request import DocumentRequest


class HoldKind(StrEnum):
    """What a legal hold keeps."""

    REQUEST = "request"
    READER = "reader"
    PERIOD = "period"


@dataclass(frozen=True)
class LegalHold:
    """Records that nobody may remove: one request, all of a reader (by key), or all asked for in [since, until)."""

    kind: HoldKind
    target: str
    reason: str
    set_by: str
    set_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    lifted_by: str = ""
    lifted_at: datetime | None = None
    id: int = 0

    def keeps(self, request: DocumentRequest) -> bool:
        """Whether a request is kept by this hold."""
        if self.lifted_at is not None:
            return False
        if self.kind is HoldKind.REQUEST:
            return self.target == request.number
        if self.kind is HoldKind.READER:
            return self.target == request.reader_key
        return (self.since is None or self.since <= request.created_at) and (
            self.until is None or request.created_at < self.until
        )


class ActKind(StrEnum):
    """What one officer asks for and another grants."""

    UNMASK = "unmask"
    OVERRIDE = "override"
    SIGNER = "signer"


@dataclass(frozen=True)
class TwoPersonAct:
    """One act. ``subject`` is a reader key (unmask) or a request number (override, signer); ``answer`` is granted, refused or "" while it waits."""

    kind: ActKind
    subject: str
    reason: str
    asked_by: str
    asked_at: datetime
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
    ends_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True)
class RetentionRound:
    """A round of forgetting: announced, then carried out not before ``due_at``, or earlier when an officer says so."""

    announced_at: datetime
    due_at: datetime
    items: int
    done_at: datetime | None = None
    removed: int = 0
    id: int = 0


Rewrite = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Makes what is stored anew."""


class PrivacyStore(Protocol):
    """Holds, acts and rounds."""

    def place_hold(self, hold: LegalHold) -> LegalHold: ...
    def lift_hold(self, hold_id: int, by: str, at: datetime) -> LegalHold: ...
    def holds(self, lifted: bool = False) -> tuple[LegalHold, ...]: ...
    def ask(self, act: TwoPersonAct) -> TwoPersonAct: ...
    def act(self, act_id: int) -> TwoPersonAct: ...
    def keep_act(self, act: TwoPersonAct) -> None: ...
    def waiting(self) -> tuple[TwoPersonAct, ...]: ...
    def granted(self, kind: ActKind, subject: str, asked_by: str, now: datetime) -> TwoPersonAct | None: ...
    def round(self) -> RetentionRound | None: ...
    def announce(self, round_: RetentionRound) -> RetentionRound: ...
    def keep_round(self, round_: RetentionRound) -> None: ...
    def count_removed(self, round_id: int, more: int) -> RetentionRound: ...
    def last_rounds(self, limit: int = 10) -> tuple[RetentionRound, ...]: ...
    def closed_with_reader(self, before: datetime, after: str, limit: int) -> tuple[DocumentRequest, ...]: ...
    def closed_records(self, before: datetime, after: str, limit: int) -> tuple[DocumentRequest, ...]: ...
    def of_reader_key(self, reader_key: str) -> tuple[DocumentRequest, ...]: ...
    def unlink_reader(self, number: str) -> bool: ...
    def claims_of(self, number: str) -> Sequence[str]: ...
    def claims_under(self, key: str) -> Sequence[str]: ...
    def rewrite_usage(self, claim: str, facts: Rewrite, scope: Callable[[str], str]) -> None: ...
    def rewrite_decision(self, number: str, change: Rewrite) -> None: ...
    def decisions_naming(self, key: str) -> Sequence[str]: ...
    def drop_locks(self, part: str) -> None: ...
    def any_nameless(self, library_id: str) -> bool: ...
    def signed_declarations(self, after: int, limit: int) -> Sequence[tuple[int, str, str, int]]: ...
    def declarations_of(self, number: str) -> Sequence[int]: ...
    def erase_declaration(self, declaration_id: int) -> bool: ...
    def purge_record(self, number: str, at: datetime) -> bool: ...
    def forget_person(self, person_id: str) -> None: ...
