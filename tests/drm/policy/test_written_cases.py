"""Worked cases of our own, and whether they notice a change of any rule."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin.cli import rushlight
from drm.agreements import load_agreements
from drm.cases import case_facts, read_cases, run_cases
from drm.policy import decide

HERE = Path(__file__).parent / "cases"
AGREEMENTS = HERE / "agreements.toml"
CASES = HERE / "cases.json"
MUTATIONS = [
    ("max = 2", "max = 1"),
    ("max = 2", "max = 3"),
    ('chapters", max = 1', 'chapters", max = 0'),
    ('chapters", max = 1', 'chapters", max = 2'),
    ('percent = "2.5"', 'percent = "1.5"'),
    ('percent = "2.5"', 'percent = "3.5"'),
    (', base = "work.counted_pages"', ""),
    (', { measure = "chapters", max = 1 }', ""),
    ('{ measure = "percent_pages", percent = "2.5", base = "work.counted_pages" }, ', ""),
    ('["entity", "title"]', '["title"]'),
    ('["entity", "title"]', '["entity"]'),
    ('["reader", "work"]', '["work"]'),
    ('["reader", "work"]', '["reader"]'),
    ('unless = [{ "flags.free" = true }]\n', ""),
    ('"request.item" = ["article"], ', ""),
    (', "issue.date" = { age_le = "P1Y", at = "request.at" }', ""),
    ("age_le", "age_gt"),
    ("Asia/Shanghai", "UTC"),
    ('anchor = "filled_at"', 'anchor = "requested_at"'),
    ('hold = ["reserved"]', "hold = []"),
    ("P7D", "P8D"),
    ("P7D", "P6D"),
    ("needs_approval", "needs_fee"),
    ("TOTAL_UNKNOWN", "OTHER"),
    ('["named", "private"]', '["named"]'),
    ('["named", "private"]', '["private"]'),
    ("minor = 2", "minor = 3"),
    ('"0.5"', '"0.6"'),
    ('"1.5"', '"1.6"'),
    ('"0.333"', '"0.343"'),
    ('ttl = "P1M"', 'ttl = "P30D"'),
    ('unopened = "P7D"', 'unopened = "P8D"'),
    ("prints = 1", "prints = 2"),
    ("opens = 2", "opens = 3"),
    ("same_reader_only = true", "same_reader_only = false"),
    ("business_days = 2", "business_days = 3"),
    ("end_of_year+2", "end_of_year+3"),
    ('from = "filled_at"', 'from = "requested_at"'),
    ('"required"', '"not_required"'),
]


def test_every_case_of_our_own_passes_on_the_command_line() -> None:
    result = CliRunner().invoke(rushlight, ["rights", "test", "--policies", str(AGREEMENTS), str(CASES)])

    assert result.output.splitlines() == [f"{len(read_cases(CASES))} passed, 0 failed"]
    assert result.exit_code == 0


@pytest.mark.parametrize(("old", "new"), MUTATIONS)
def test_one_changed_word_of_an_agreement_changes_a_case(old: str, new: str) -> None:
    text = AGREEMENTS.read_text()
    assert old in text
    failures, _ = run_cases(load_agreements(text.replace(old, new, 1)), CASES)

    assert failures


def test_the_sequence_of_the_history_and_another_offset_change_nothing() -> None:
    agreements = {agreement.id: agreement for agreement in load_agreements(AGREEMENTS.read_text())}
    for case in read_cases(CASES):
        if case["kind"] != "request" or "policies" not in case:
            continue
        facts, history = case_facts(case)
        policies = [[agreements[name] for name in case["policies"]]]
        before = decide(policies, facts, history)
        random.Random(1).shuffle(history)
        moved = {**facts, "request": {**case["request"], "at": "2027-06-01T20:00:00+08:00"}}
        after = decide(policies, moved, history)

        assert (after.reason, after.counts) == (before.reason, before.counts)
