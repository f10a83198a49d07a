"""Seeded bugs of what is read, corrected, forgotten and reported of past copies."""

from __future__ import annotations

from tests.mutations.bug import Bug

LEDGER = "storage/ledger.py"
UNLINKING = "delivery/services/unlinking.py"

COUNTED = (
    *(
        Bug(name, LEDGER, old, new, ("tests/flows/test_what_counts.py",))
        for name, old, new in (
            (
                "a copy filled since is not read",
                "UsageRow.requested_at >= since, UsageRow.filled_at >= since,",
                "UsageRow.requested_at >= since,",
            ),
            ("a copy asked for since is not read", "or_(UsageRow.requested_at >= since, ", "or_("),
            (
                "a copy for several readers is read for one",
                ', together.where(JointReaderRow.reader == parts["reader"])]',
                "]",
            ),
            ("what was cancelled is read", 'if row.status != "cancelled" and row.claim', "if row.claim"),
            (
                "a missing part equals every other",
                "            return [select(UsageRow.claim).where(false())]",
                "            continue",
            ),
            (
                "a replay sees what came later",
                "[change for change in changes if change.id <= head]",
                "list(changes)",
            ),
            (
                "a replay sees its own copy",
                "select(UsageRow).where(UsageRow.claim != leave_out, UsageRow",
                "select(UsageRow).where(UsageRow",
            ),
            ("a replay sees what was cancelled", 'record.under and record.status != "cancelled"', "record.under"),
            ("a replay sees the facts of today", "facts=facts, filled_at=last.filled_at", "filled_at=last.filled_at"),
            ("a replay sees the standing of today", "status=last.status, ", ""),
        )
    ),
    *(
        Bug(name, "delivery/services/correcting.py", old, new, ("tests/flows/test_corrections.py",))
        for name, old, new in (
            (
                "a correction is judged by the newest words",
                "next(iter(known_then(confirmed, at, zone)), None) or min(",
                "max(",
            ),
            (
                "all copies are counted by what the corrected one is",
                "near if _parts(own) <= _parts(wanted) else",
                "near if True else",
            ),
            (
                "a copy is broken by what came after it",
                "(other.filled_at, other.claim) < (one.filled_at, one.claim)",
                "True",
            ),
        )
    ),
    *(
        Bug(name, file, old, new, ("tests/flows/test_forgetting.py",))
        for name, file, old, new in (
            (
                "the rows of a forgotten reader share a value",
                UNLINKING,
                "claims_under(key):\n        token = _token()",
                "claims_under(key):\n        token = key[::-1]",
            ),
            ("the lock rows remember a forgotten reader", UNLINKING, "work.privacy.drop_locks(key)", "pass"),
            ("the ledger's scopes remember a reader", "storage/privacy.py", "entry.scope = scope(entry.scope)", "pass"),
            (
                "forgetting a category changes a library's count",
                "drm/quota.py",
                'return {**thin, "settled": settled} if settled else thin',
                "return thin",
            ),
            (
                "a forgotten reader's decision is not replayed at all",
                "delivery/services/replaying.py",
                'return () if rest[0] == rest[1] else ("rules",)',
                "return ()",
            ),
        )
    ),
    Bug(
        "the journal remembers a category",
        "storage/privacy.py",
        "line.before = before",
        "pass",
        ("tests/storage/test_journal.py",),
    ),
    *(
        Bug(name, file, old, new, ("tests/flows/test_reports.py",))
        for name, file, old, new in (
            (
                "a report counts what waits in every year",
                "drm/policy/tallying.py",
                'if current or one.record.status != "reserved" or rule.window.anchor != "filled_at"]',
                "]",
            ),
            (
                "a report counts a part of a year",
                "delivery/services/use_counts.py",
                "return min(starts) - ZONES",
                "return since",
            ),
            (
                "a report counts open access",
                "delivery/services/use_counts.py",
                'if record.under else "open access"',
                "",
            ),
        )
    ),
)
