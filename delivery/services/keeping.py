"""How long the record of a request has to be kept, and its reader with it: all agreements that anything in it rests on."""

from __future__ import annotations

from datetime import datetime

from delivery.document_request import DocumentRequest
from delivery.ports import Work
from delivery.privacy import LegalHold
from delivery.services.deciding import agreement_pairs, parsed
from delivery.services.holding import is_held
from drm.agreements import Agreement
from drm.decisions import Decision
from drm.licence import check_retention


def verdict(work: Work, request: DocumentRequest, at: datetime, action: str, holds: tuple[LegalHold, ...]) -> Decision:
    """Whether a record may be purged, or its reader forgotten (anonymise), at an instant. A legal hold never lets it.

    Under the versions it was decided, delivered and declared under, each copy of it: the longest term of all counts.
    """
    zone = work.libraries.get(request.library_id).tz
    return check_retention(agreements_of_record(work, request), record_facts(work, request, holds), at, action, zone)


def record_facts(work: Work, request: DocumentRequest, holds: tuple[LegalHold, ...]) -> dict[str, object]:
    """What the terms of a record run from: the last of its copies that was filled."""
    copies = [work.ledger.record(f"{request.number}/{number}") for number in range(1, request.copy_no + 1)]
    filled = [copy.filled_at for copy in copies if copy is not None and copy.filled_at is not None]
    return {
        "requested_at": request.created_at,
        "filled_at": max(filled, default=None),
        "declaration": bool(work.consents.declarations(request.number)),
        "legal_hold": is_held(holds, request),
    }


def agreements_of_record(work: Work, request: DocumentRequest) -> tuple[Agreement, ...]:
    """The agreement versions of the decision, of every delivery and of every declaration of a request."""
    pairs = [*agreement_pairs(request)]
    for delivery in work.deliveries.of_request(request.number):
        pairs += delivery.agreements
    pairs += [(one.agreement, one.agreement_version) for one in work.consents.declarations(request.number)]
    return tuple(parsed(work.agreements.get(name, version)) for name, version in dict.fromkeys(pairs))
