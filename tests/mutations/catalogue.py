"""The seeded bugs: a name, the file, what stands there, what the bug puts in its place, and the tests that must see it."""

from __future__ import annotations

from tests.mutations.access_bugs import ACCESS
from tests.mutations.bug import Bug
from tests.mutations.counted_bugs import COUNTED
from tests.mutations.crash_bugs import CRASHES
from tests.mutations.file_bugs import FILES
from tests.mutations.log_bugs import LOG

OWN = ("tests/drm/policy/test_own_cases.py",)
RACES = ("tests/faults/test_races.py",)
COUNTING = "drm/policy/counting.py"
RULES = "drm/policy/rules.py"
DECIDING = "drm/policy/deciding.py"
LICENCE = "drm/licence.py"
LEDGER = "storage/ledger.py"
SERVICE = "delivery/services/deciding.py"
EFFECTIVE = "delivery/effective_dates.py"
DATES = ("tests/flows/test_effective_dates.py",)

BUGS = (
    Bug(
        "a limit gives one copy more",
        COUNTING,
        "used + this <= kind.max)\n\n\ndef _copies_of",
        "used <= kind.max)\n\n\ndef _copies_of",
        OWN,
    ),
    Bug(
        "a record as old as the window still counts", COUNTING, "start < instant <= end", "start <= instant <= end", OWN
    ),
    Bug(
        "the first instant of the next period counts",
        COUNTING,
        "start <= instant < end if calendar",
        "start <= instant <= end if calendar",
        ("tests/drm/policy/test_windows.py", "tests/drm/test_ledger_bugs.py"),
    ),
    Bug(
        "the library's zone is taken where a rule names one",
        COUNTING,
        "ZoneInfo(window.tz) if window.tz else facts.zone",
        "facts.zone",
        OWN,
    ),
    Bug(
        "periods begin in Greenwich",
        COUNTING,
        "day = instant.astimezone(zone).date()",
        "day = instant.astimezone(UTC).date()",
        ("tests/drm/policy/test_windows.py",),
    ),
    Bug(
        "weeks begin on Sunday",
        COUNTING,
        "timedelta(days=day.weekday())",
        "timedelta(days=(day.weekday() + 1) % 7)",
        OWN,
    ),
    Bug(
        "a copy counts when it was asked for, whatever the anchor says",
        COUNTING,
        'if window.anchor == "filled_at" and record.status == "filled":',
        "if False:",
        OWN,
    ),
    Bug(
        "now is the request's time although fills are counted",
        COUNTING,
        'return facts.instant("request.fill_at") or facts.instant("request.at")',
        'return facts.instant("request.at")',
        OWN,
    ),
    Bug("what is set aside does not count", COUNTING, "(rule.count | rule.hold)", "rule.count", OWN),
    Bug("what was cancelled counts where a rule lists it", COUNTING, ' - {"cancelled"}', "", OWN),
    Bug(
        "an old reservation counts nowhere",
        COUNTING,
        'if reserved_counts and record.status == "reserved":',
        "if False:",
        OWN,
    ),
    Bug("two missing keys are the same key", COUNTING, "        if None in wanted:\n            return ()\n", "", OWN),
    Bug("a record is judged by today's facts", COUNTING, "and applied(rule, record)", "and applies(rule, facts)", OWN),
    Bug(
        "copies of another agreement do not count",
        SERVICE,
        '    content["status"] = record.status\n',
        '    content["status"] = record.status if "limited-b" in record.under else "cancelled"\n',
        ("tests/flows/test_what_counts.py",),
    ),
    Bug(
        "what came by open access counts",
        LEDGER,
        "is not None and row.under)",
        "is not None)",
        ("tests/flows/test_what_counts.py",),
    ),
    Bug(
        "two agreements that count the same copies do not wait for each other",
        SERVICE,
        "for scope in (*own, *counting))",
        "for scope in own)",
        ("tests/flows/test_what_counts.py",),
    ),
    Bug(
        "a copy for two counts for one",
        COUNTING,
        'if record.joint and "reader" in parts else',
        "if False else",
        ("tests/flows/test_corrections.py",),
    ),
    Bug(
        "pages had before are counted again",
        COUNTING,
        "len(used | asked) <= kind.max)\n\n\ndef _percent",
        "len(used) + len(asked) <= kind.max)\n\n\ndef _percent",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "a share is rounded up",
        COUNTING,
        "len(used | asked) * 100 <= kind.percent * total",
        "len(used | asked) <= -int(-kind.percent * total / 100 - 1)",
        OWN,
    ),
    Bug(
        "a share of nothing is a share",
        COUNTING,
        "return total if total is not None and total > 0 else None",
        "return total",
        OWN,
    ),
    Bug("no chapter named is no chapter used", COUNTING, "bool(asked) and len(used | asked)", "len(used | asked)", OWN),
    Bug(
        "an exemption is given on a guess",
        "drm/facts/conditions.py",
        "condition.check(facts, absent_differs=False) is Truth.YES",
        "condition.check(facts) is Truth.YES",
        OWN,
    ),
    Bug(
        "an unknown age is taken for old",
        "drm/facts/conditions.py",
        "in {Truth.YES, Truth.UNKNOWN_AGE}",
        "in {Truth.YES}",
        OWN,
    ),
    Bug(
        "exactly a year old is older than a year",
        "drm/facts/conditions.py",
        'day < edge if self.operator == "age_gt"',
        'day <= edge if self.operator == "age_gt"',
        OWN,
    ),
    Bug(
        "the last of equal routes wins",
        DECIDING,
        "best = min(range(len(routes))",
        "best = min(reversed(range(len(routes)))",
        OWN,
    ),
    Bug("a statute that refuses sets licences aside", DECIDING, "or own not in SETTLED", "", OWN),
    Bug("the spared licence is set aside too", DECIDING, "and not spared", "", OWN),
    Bug(
        "the best of joint readers decides",
        RULES,
        "return max(results, key=lambda result: result.outcome)",
        "return min(results, key=lambda result: result.outcome)",
        OWN,
    ),
    Bug("a fee is rounded down", RULES, "rounding=ROUND_CEILING", 'rounding="ROUND_FLOOR"', OWN),
    Bug("the first page is paid twice", RULES, "(pages - 1) * line.next_page", "pages * line.next_page", OWN),
    Bug(
        "years clamp to the first of March",
        "drm/facts/durations.py",
        "min(day.day, calendar.monthrange(year, month + 1)[1])",
        "min(day.day, 28)",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug("a link is good at its very end", LICENCE, "if at >= end:", "if at > end:", OWN),
    Bug(
        "the first day of use is a business day always",
        LICENCE,
        "if not (count_first_day and day.weekday() < 5 and day not in closed):",
        "if not count_first_day and False:",
        OWN,
    ),
    Bug(
        "the last day of keeping is over",
        LICENCE,
        'action == "purge" and keep and today <= max(keep)',
        'action == "purge" and keep and today < max(keep)',
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "a legal hold is overlooked",
        "delivery/privacy.py",
        "if self.lifted_at is not None:",
        "if True:",
        ("tests/flows/test_privacy.py",),
    ),
    Bug(
        "the milder of two agreements wins",
        LICENCE,
        "return min(found) if found else None",
        "return max(found) if found else None",
        ("tests/drm/test_rights.py",),
    ),
    Bug(
        "read first, write later without the lock",
        "storage/engine.py",
        '"BEGIN IMMEDIATE" if writing else "BEGIN DEFERRED"',
        '"BEGIN DEFERRED"',
        RACES,
    ),
    Bug(
        "the own reservation counts against itself at the fill",
        LEDGER,
        "and row.claim != leave_out]",
        "]",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "an old reservation is not read",
        LEDGER,
        'UsageRow.filled_at >= since, UsageRow.status == "reserved")',
        "UsageRow.filled_at >= since)",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "a second entry of the same kind is written",
        LEDGER,
        "statement.on_conflict_do_nothing().returning(",
        "statement.returning(",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "UNIQUE is missing on the ledger",
        "storage/migrations/versions/0001_the_first_tables.py",
        ",\n    sa.UniqueConstraint('claim', 'rule', 'kind', name='uq_ledger_claim_rule_kind')",
        "",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "what was given back is settled",
        LEDGER,
        ', LedgerRow.kind == "reserve", LedgerRow.rule.not_in(closed))',
        ', LedgerRow.kind == "reserve")',
        ("tests/storage/test_ledger.py",),
    ),
    Bug(
        "what was settled can be released",
        SERVICE,
        '(rule in settled) == (kind == "refund")',
        "True",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "a release leaves the record counting",
        SERVICE,
        "work.ledger.put_record(replace(record, status=status), now)",
        "pass",
        ("tests/flows/test_delivering.py",),
    ),
    Bug(
        "what was not supplied counts",
        "delivery/services/desk.py",
        'release(work, request, now, staff.reader_key, "unfilled", "unfilled")',
        'release(work, request, now, staff.reader_key, "unfilled", "filled")',
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "the copy is published without being counted",
        "delivery/services/preparing.py",
        "    settle(work, request, verdict, now)\n",
        "",
        ("tests/flows/test_delivering.py",),
    ),
    Bug(
        "nothing is decided again at the fill",
        "delivery/services/preparing.py",
        "may_supply(request, verdict.decision, source)\n            if published:",
        "True\n            if published:",
        ("tests/flows/test_routes.py",),
    ),
    Bug(
        "a slot is taken and no record kept",
        SERVICE,
        'work.ledger.put_record(usage_record(request, verdict, "reserved"), now, first=True)\n    if wanted:',
        "if wanted:",
        RACES,
    ),
    Bug(
        "two officers set a gate aside",
        "delivery/services/overriding.py",
        'all(result.type == "limit" for result in denying)',
        "True",
        ("tests/flows/test_privacy.py",),
    ),
    Bug(
        "one officer is two",
        "delivery/services/two_persons.py",
        "if alone and grant and ctx.settings.two_person:",
        "if False:",
        ("tests/flows/test_privacy.py",),
    ),
    Bug(
        "an agreement that has ended still permits",
        EFFECTIVE,
        "return ends is None or (",
        "return True or (",
        ("tests/drm/test_ledger_bugs.py",),
    ),
    Bug(
        "the last day of an agreement is already over",
        EFFECTIVE,
        "today <= ends.astimezone",
        "today < ends.astimezone",
        DATES,
    ),
    Bug(
        "the first day of an agreement does not count",
        EFFECTIVE,
        "today < begins.astimezone",
        "today <= begins.astimezone",
        DATES,
    ),
    Bug(
        "a version confirmed later judges what was before it",
        EFFECTIVE,
        "one.confirmed_at is None or one.confirmed_at <= at",
        "True",
        ("tests/flows/test_corrections.py",),
    ),
    Bug(
        "agreements begin and end in Greenwich",
        EFFECTIVE,
        "today = at.astimezone(zone).date()",
        "today = at.astimezone(UTC).date()",
        DATES,
    ),
    Bug(
        "no agreement is no objection",
        SERVICE,
        "if not route.source.agreements or any(name not in by_id for name in wanted):",
        "if any(name not in by_id for name in wanted):",
        ("tests/flows/test_bindings.py",),
    ),
    *COUNTED,
    *LOG,
    *CRASHES,
    *FILES,
    *ACCESS,
)
