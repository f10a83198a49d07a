"""Holding a copy together with its request, for whoever changes both, or what the copy used."""

from __future__ import annotations

from delivery.copies import Delivery
from delivery.document_request import DocumentRequest
from delivery.ports import Work


def hold_copy(work: Work, number: str) -> tuple[DocumentRequest, Delivery]:
    """A copy's request and the copy, held in this sequence until the transaction ends, as they are now; NotFound where there is none.

    A librarian who works on the request holds it before its copy, and two who went in different sequences would wait for each other.
    """
    request = work.requests.lock(work.deliveries.get(number).request)
    return request, work.deliveries.lock(number)
