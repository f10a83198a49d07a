"""What in SQL tells requests for the same work, and requests of one reader."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BindParameter, ColumnElement, Integer, String, bindparam, select

from storage.models import DeliveryRow, FingerprintRow, ReaderLinkRow, RequestRow


def of_reader(reader_id: str | BindParameter[str]) -> ColumnElement[bool]:
    """The request is this reader's."""
    return RequestRow.number.in_(select(ReaderLinkRow.request).where(ReaderLinkRow.reader_id == reader_id))


def of_work(names: Sequence[str] | BindParameter[Sequence[str]]) -> ColumnElement[bool]:
    """The request has one of these fingerprints, as ``named`` gives them."""
    return RequestRow.number.in_(select(FingerprintRow.request).where(FingerprintRow.fingerprint.in_(names)))


def named(fingerprints: Sequence[str]) -> list[str]:
    """Fingerprints as the database holds them."""
    return [name[:400] for name in fingerprints]


ASKED_BEFORE = (
    select(RequestRow, DeliveryRow)
    .outerjoin(DeliveryRow, DeliveryRow.number == RequestRow.delivery)
    .where(of_work(bindparam("names", expanding=True)), of_reader(bindparam("reader", type_=String)))
    .order_by(RequestRow.created_at.desc())
    .limit(bindparam("most", type_=Integer))
)
"""Asked for each request; made once, for building a statement takes longer than running it."""
