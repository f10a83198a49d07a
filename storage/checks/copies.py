"""One copy for each request, of its own reader, announced once, with all its parts."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.violations import Patience, Repair, Violation
from storage.checks.asking import stream
from storage.models import DeliveryRow, JobRow, MasterRow, PersonRow, ReaderLinkRow, TailRow, UsageRow

LIVE = DeliveryRow.state == CopyState.LIVE.value
SHARED = DeliveryRow.base_bytes.is_not(None)
"""Copies that are the beginning of a prepared document and a tail of their own."""


def two_live(session: Session, patience: Patience) -> Iterator[Violation]:
    """A request has at most one live copy."""
    many = func.count(DeliveryRow.number)
    found = select(DeliveryRow.request, many).where(LIVE).group_by(DeliveryRow.request).having(many > 1)
    for request, number in stream(session, found):
        yield Violation("delivered-twice", {"request": request}, f"{number} copies of it can be opened")


def of_another_request(session: Session, patience: Patience) -> Iterator[Violation]:
    """A copy was counted under a claim of its own request."""
    found = (
        select(DeliveryRow.number, DeliveryRow.request, DeliveryRow.claim)
        .outerjoin(UsageRow, UsageRow.claim == DeliveryRow.claim)
        .where(
            or_(
                ~DeliveryRow.claim.startswith(DeliveryRow.request + "/"),
                UsageRow.request != DeliveryRow.request,
            )
        )
    )
    for number, request, claim in stream(session, found):
        yield Violation("copy-of-another", {"delivery": number, "request": request}, f"it is counted as {claim}")


def other_reader(session: Session, patience: Patience) -> Iterator[Violation]:
    """The pseudonym beside a request is its reader's own."""
    found = (
        select(ReaderLinkRow.request)
        .join(PersonRow, PersonRow.id == ReaderLinkRow.reader_id)
        .where(PersonRow.reader_key != ReaderLinkRow.reader_key)
    )
    for (request,) in stream(session, found):
        yield Violation("reader-mixed-up", {"request": request}, "its pseudonym belongs to somebody else")


def one_message_id_for_two(session: Session, patience: Patience) -> Iterator[Violation]:
    """Each copy has a Message-ID of its own."""
    found = (
        select(DeliveryRow.message_id, func.count(DeliveryRow.number), func.min(DeliveryRow.number))
        .group_by(DeliveryRow.message_id)
        .having(or_(func.count(DeliveryRow.number) > 1, DeliveryRow.message_id == ""))
    )
    for message_id, number, first in stream(session, found):
        yield Violation("message-id-shared", {"delivery": first}, f"{number} copies are announced as {message_id}")


def not_announced(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy has the job that mails its link: done, waiting or set aside."""
    found = (
        select(DeliveryRow.number, DeliveryRow.request)
        .outerjoin(JobRow, JobRow.key == "mail:delivered:" + DeliveryRow.number)
        .where(LIVE, JobRow.id.is_(None))
    )
    for number, request in stream(session, found):
        yield Violation(
            "copy-not-announced", {"delivery": number, "request": request}, "no mail was written", Repair.ANNOUNCE
        )


def without_tail(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy of a prepared document has its tail, as long as its row says."""
    size = func.coalesce(func.length(TailRow.data), 0)
    found = (
        select(DeliveryRow.number, size, DeliveryRow.bytes - DeliveryRow.base_bytes)
        .outerjoin(TailRow, TailRow.delivery == DeliveryRow.number)
        .where(LIVE, SHARED, size != DeliveryRow.bytes - DeliveryRow.base_bytes)
    )
    for number, has, wanted in stream(session, found):
        yield Violation("tail-missing", {"delivery": number}, f"its tail has {has} bytes instead of {wanted}")


def without_master(session: Session, patience: Patience) -> Iterator[Violation]:
    """A live copy of a prepared document has that document's row, not yet removed."""
    found = (
        select(DeliveryRow.number, DeliveryRow.master)
        .outerjoin(MasterRow, MasterRow.id == DeliveryRow.master)
        .where(LIVE, SHARED, or_(MasterRow.id.is_(None), MasterRow.removed_at.is_not(None)))
    )
    for number, master in stream(session, found):
        yield Violation("master-missing", {"delivery": number}, f"its prepared document {master[:16]} is gone")


def removed_while_live(session: Session, patience: Patience) -> Iterator[Violation]:
    """The file or tail of a live copy was not removed."""
    found = select(DeliveryRow.number, DeliveryRow.blob_removed_at).where(
        LIVE, DeliveryRow.blob_removed_at.is_not(None)
    )
    for number, removed in stream(session, found):
        yield Violation(
            "live-but-removed", {"delivery": number}, f"its file is called removed since {removed:%Y-%m-%d %H:%M}"
        )
