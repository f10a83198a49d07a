"""All rules over one installation, one after another; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from admin.fsck.agreement_texts import changed_agreements
from admin.fsck.counting import over_limit
from admin.fsck.files import damaged_files, damaged_tails, left_over, missing_and_orphans
from admin.fsck.guarding import guarded
from admin.fsck.holding_back import hold_back
from admin.wiring import Services
from delivery.services.witnessing import seen_before, seen_outside
from delivery.violations import Patience, Violation
from storage.checks import CHECKS, Check

NOTICES = frozenset({"job-set-aside", "log-place-unasked"})
"""What a person should know and what breaks no promise: told, but not counted."""

OUTSIDE = 60.0
"""Seconds for which all places outside together are waited for."""


def is_notice(found: Violation) -> bool:
    """Whether it is told only."""
    return found.code in NOTICES


def patience_of(services: Services, grace: timedelta) -> Patience:
    """How long things may be under way: ``grace`` for files without an owner, the download window for those with one."""
    return Patience(now=services.ctx.clock(), grace=grace, window=services.ctx.settings.window)


def examine(services: Services, patience: Patience, deep: bool = False, outside: bool = True) -> Iterator[Violation]:
    """Every violation of every rule. ``deep`` also reads all files and compares their digests; ``outside`` asks the log's places.

    Rows are read rule by rule, each in one statement; files in one pass beside the rows that name them. Files that no row names
    come last. A rule that cannot go on is told as ``check-failed``; DeliveryError only where the database does not answer.
    """
    yield from hold_back(_all(services, patience, deep, outside))


def _all(services: Services, patience: Patience, deep: bool, outside: bool) -> Iterator[Violation]:
    yield from guarded(services, {"check": "log"}, partial(_log, services, outside))
    for part, check in CHECKS:
        yield from guarded(services, {"check": f"{part}.{check.__name__}"}, partial(_rows, services, patience, check))
    yield from guarded(services, {"check": "agreements"}, partial(changed_agreements, services))
    yield from guarded(services, {"check": "limits"}, partial(over_limit, services))
    yield from guarded(services, {"check": "files"}, partial(missing_and_orphans, services, patience))
    yield from guarded(services, {"check": "left-over"}, partial(left_over, services, patience))
    if deep:
        yield from guarded(services, {"check": "files.deep"}, partial(damaged_files, services))
        yield from guarded(services, {"check": "tails.deep"}, partial(damaged_tails, services))


def _rows(services: Services, patience: Patience, check: Check) -> Iterator[Violation]:
    """One rule over rows, in a transaction of its own: what spoils it spoils no other."""
    with services.store.read() as work:
        yield from check(work.session, patience)


def _log(services: Services, outside: bool) -> Iterator[Violation]:
    known, troubles = seen_outside(services.ctx, OUTSIDE) if outside else seen_before(services.ctx)
    verdict = services.ctx.check_log(known)
    if not verdict.whole:
        bad = verdict.size if verdict.first_bad is None else verdict.first_bad
        yield Violation("log-broken", {"event": str(bad)}, verdict.problem)
    for place, trouble in troubles.items():
        if trouble.differs:
            yield Violation("log-place-differs", {"place": place}, trouble.text)
        else:
            yield Violation("log-place-unasked", {"place": place}, trouble.text)
