"""What in SQL tells requests for the same work, and requests of one reader."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BindParameter, ColumnElement, Integer, String, bindparam, select

from storage.models import DeliveryRow, ReaderLinkRow, RequestRow, WorkRow
from storage.repeated import mark_of


def of_reader(reader_id: str | BindParameter[str]) -> ColumnElement[bool]:
    """The request is this reader's."""
    return RequestRow.number.in_(select(ReaderLinkRow.request).where(ReaderLinkRow.reader_id == reader_id))


OF_WORK = RequestRow.number.in_(select(WorkRow.request).where(WorkRow.work.in_(bindparam("marks", expanding=True))))
"""The request has one of the fingerprints that are bound as ``marks``, as ``marked`` gives them."""


def marked(fingerprints: Iterable[str]) -> list[int]:
    """Fingerprints as the database holds them."""
    return sorted({mark_of(name[:400]) for name in fingerprints})


SAME_WORK = (
    select(RequestRow.number, RequestRow.state, RequestRow.hold)
    .where(
        OF_WORK,
        # Written so that no index fits: a work has fewer requests than a library.
        RequestRow.library_id.concat("") == bindparam("library", type_=String),
    )
    .order_by(RequestRow.created_at.desc())
    .limit(bindparam("most", type_=Integer))
)
"""A library's own alone: of the newest of all libraries hardly one would be its own."""
ASKED_BEFORE = (
    select(
        RequestRow.number,
        RequestRow.state,
        DeliveryRow.state,
        DeliveryRow.opens_limit,
        DeliveryRow.opens_used,
        DeliveryRow.expires_at,
    )
    .outerjoin(DeliveryRow, DeliveryRow.number == RequestRow.delivery)
    .where(OF_WORK, of_reader(bindparam("reader", type_=String)))
    .order_by(RequestRow.created_at.desc())
    .limit(bindparam("most", type_=Integer))
)
"""Asked for each request; made once, for building a statement takes longer than running it."""
