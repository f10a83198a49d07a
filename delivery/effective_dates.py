"""Between which days an agreement holds: whole days in the civil time of the library that asks, the last one included."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from delivery.stores import AgreementVersion


def is_day(instant: datetime) -> bool:
    """Whether a stored date means a whole day: those are kept as midnight UTC. Anything else is that very instant."""
    return instant.astimezone(UTC).time() == time()


def holds_at(version: AgreementVersion, at: datetime, zone: ZoneInfo) -> bool:
    """Whether a version's dates cover an instant, which lies on the day that a library in ``zone`` has then.

    A first day counts from its midnight, a last day to its end. Of dates with a time of day the last one is exclusive.
    """
    today = at.astimezone(zone).date()
    begins, ends = version.effective_from, version.effective_to
    if begins is not None and (today < begins.astimezone(UTC).date() if is_day(begins) else at < begins):
        return False
    return ends is None or (today <= ends.astimezone(UTC).date() if is_day(ends) else at < ends)


def known_then(versions: Iterable[AgreementVersion], at: datetime, zone: ZoneInfo) -> tuple[AgreementVersion, ...]:
    """Those in force at an instant, as it was known then: what was confirmed later held for nothing before."""
    return newest((one for one in versions if one.confirmed_at is None or one.confirmed_at <= at), at, zone)


def newest(versions: Iterable[AgreementVersion], at: datetime, zone: ZoneInfo) -> tuple[AgreementVersion, ...]:
    """Of confirmed versions the newest of each agreement whose dates cover an instant, by id."""
    found: dict[str, AgreementVersion] = {}
    for version in sorted(versions, key=lambda one: (one.id, one.version)):
        if version.standing == "confirmed" and holds_at(version, at, zone):
            found[version.id] = version
    return tuple(found.values())
