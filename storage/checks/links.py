"""What has ended serves nothing and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from delivery.copies import CopyState
from delivery.violations import Patience, Repair, Violation
from storage.checks.asking import stream
from storage.models import DeliveryRow

LIVE = DeliveryRow.state == CopyState.LIVE.value
ENDED = DeliveryRow.state != CopyState.LIVE.value


def outlived(session: Session, patience: Patience) -> Iterator[Violation]:
    """A copy whose link has ended is closed soon after. Its page says so at once; this is the row."""
    found = select(DeliveryRow.number, DeliveryRow.expires_at).where(
        LIVE, DeliveryRow.expires_at < patience.now - patience.closing
    )
    for number, ended in stream(session, found):
        yield Violation("link-outlived", {"delivery": number}, f"it ended at {ended:%Y-%m-%d %H:%M}", Repair.CLOSE_LINK)


def ended_at_no_time(session: Session, patience: Patience) -> Iterator[Violation]:
    """A copy that has ended says when."""
    for (number,) in stream(session, select(DeliveryRow.number).where(ENDED, DeliveryRow.ended_at.is_(None))):
        yield Violation("ended-at-no-time", {"delivery": number})


def file_outlived(session: Session, patience: Patience) -> Iterator[Violation]:
    """The file or tail of an ended copy goes when its last window is over."""
    found = select(DeliveryRow.number).where(
        ENDED,
        DeliveryRow.blob_removed_at.is_(None),
        DeliveryRow.ended_at < patience.now - patience.window - patience.grace,
    )
    for (number,) in stream(session, found):
        yield Violation("file-outlived", {"delivery": number}, "its file is still kept", Repair.REMOVE_FILE)
