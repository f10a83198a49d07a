"""Nothing is removed as nobody's while something is missing: it may be what somebody lacks, under another name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from delivery.violations import Repair, Violation

MISSING = frozenset(
    {
        "file-missing",
        "master-missing",
        "tail-missing",
        "live-but-removed",
        "supplied-without-copy",
        "event-without-copy",
        "request-vanished",
        "log-broken",
        "check-failed",
    }
)
"""What tells that rows and files do not belong together: an older database beside newer files, or a changed row."""


def hold_back(found: Iterable[Violation]) -> Iterator[Violation]:
    """All violations, those last whose repair removes a file that no row names; without that repair where anything is missing."""
    unowned: list[Violation] = []
    missing = ""
    for one in found:
        if one.code in MISSING:
            missing = missing or one.code
        if one.repair is Repair.REMOVE_BLOB:
            unowned.append(one)
        else:
            yield one
    for one in unowned:
        told = f"{one.detail}; it stays while anything is missing ({missing}): mend that first"
        yield replace(one, detail=told, repair=Repair.NONE) if missing else one
