"""All rules over one installation, one after another; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from admin.fsck.counting import over_limit
from admin.fsck.files import damaged_files, damaged_tails, left_over, missing_and_orphans
from admin.fsck.holding_back import hold_back
from admin.wiring import Services
from delivery.violations import Patience, Violation
from storage.checks import broken

NOTICES = frozenset({"job-set-aside"})
"""What a person should know and what breaks no promise: told, but not counted."""


def is_notice(found: Violation) -> bool:
    """Whether it is told only."""
    return found.code in NOTICES


def patience_of(services: Services, grace: timedelta) -> Patience:
    """How long things may be under way: ``grace`` for files without an owner, the download window for those with one."""
    return Patience(now=services.ctx.clock(), grace=grace, window=services.ctx.settings.window)


def examine(services: Services, patience: Patience, deep: bool = False) -> Iterator[Violation]:
    """Every violation of every rule. ``deep`` also reads all files and compares their digests.

    Rows are read rule by rule, each in one statement; files in one pass beside the rows that name them. Files that no row names
    come last.
    """
    yield from hold_back(_all(services, patience, deep))


def _all(services: Services, patience: Patience, deep: bool) -> Iterator[Violation]:
    yield from _log(services)
    with services.store.read() as work:
        yield from broken(work.session, patience)
    yield from over_limit(services)
    yield from missing_and_orphans(services, patience)
    yield from left_over(services, patience)
    if deep:
        yield from damaged_files(services)
        yield from damaged_tails(services)


def _log(services: Services) -> Iterator[Violation]:
    verdict = services.ctx.check_log()
    if not verdict.whole:
        bad = verdict.size if verdict.first_bad is None else verdict.first_bad
        yield Violation("log-broken", {"event": str(bad)}, verdict.problem)
