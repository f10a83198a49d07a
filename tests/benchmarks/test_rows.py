"""The benchmark's own arithmetic: a bar that is missed must fail, whichever way it points."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pdf_engine.corpus import bars
from benchmarks.pdf_engine.judging import Judgement
from benchmarks.pdf_engine.rows import absent, at_most, counted, faster, milliseconds, percentile, within
from benchmarks.report import failing, table

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("ours", "outcome"), [(0.020, "pass"), (0.021, "FAIL")])
def test_at_most_twice_as_long_is_kept_up_to_the_bar_and_not_beyond(ours: float, outcome: str) -> None:
    assert at_most("E4", "copy", ours, 0.010, 2.0, "floor").outcome == outcome


@pytest.mark.parametrize(("peer", "outcome"), [(0.020, "pass"), (0.019, "FAIL")])
def test_twenty_times_as_fast_is_kept_from_the_bar_on(peer: float, outcome: str) -> None:
    assert faster("E5", "copy", 0.001, peer, 20, "peer").outcome == outcome


def test_a_ratio_against_a_time_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        at_most("E4", "copy", 0.010, 0.0, 2.0, "floor")


def test_an_absolute_bar_binds_on_the_machine_of_reference_only() -> None:
    here, there = (within("E1", "tail", 0.0003, 0.0002, reference) for reference in (False, True))

    assert failing([here, there], smoke=False) == [there]


def test_what_was_not_measured_fails_a_whole_run_and_not_a_short_one() -> None:
    row = absent("E5", "peer", "not installed")

    assert (row.fails(smoke=False), row.fails(smoke=True)) == (True, False)


@pytest.mark.parametrize(("bar", "binds"), [("E12", True), ("E18", True), ("E5", False), ("E2", False)])
def test_a_short_run_judges_what_must_be_right_and_neither_speed_nor_size(bar: str, binds: bool) -> None:
    row = replace(absent(bar, "copy", ""), outcome="FAIL")

    assert (row.fails(smoke=False), row.fails(smoke=True)) == (True, binds)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.9, 90), (0.99, 99), (1, 100), (0.001, 1)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs values"):
        percentile([], 0.5)


@pytest.mark.parametrize(("seconds", "told"), [(0.0000571, "0.057 ms"), (0.0123, "12.3 ms"), (1.2345, "1234 ms")])
def test_times_are_told_with_the_figures_that_mean_something(seconds: float, told: str) -> None:
    assert milliseconds(seconds) == told


def test_the_corpus_rows_fail_for_one_file_that_is_too_large_or_changed_or_opens_alone() -> None:
    good = [Judgement(f"{n}.pdf", "", 100_000, 101_000, 0.0, [], 6) for n in range(99)]
    bad = Judgement("bad.pdf", "", 100_000, 111_000, 0.01, ["qpdf"], 6)

    rows = {row.what.split(" (")[0] + row.what[-7:]: row.outcome for row in bars([*good, bad])}

    assert list(rows.values()) == ["pass", "FAIL", "pass", "FAIL", "FAIL", "pass", "pass"]


def test_a_master_that_too_few_readers_were_given_is_not_said_to_open_nowhere() -> None:
    few, seen = Judgement("a.pdf", "", 1, 1, 0.0, [], 5), Judgement("a.pdf", "", 1, 1, 0.0, ["poppler"], 5)

    assert [row.outcome for one in (few, seen) for row in bars([one]) if row.id == "E11"] == ["not measured", "FAIL"]


def test_a_refused_file_is_no_failure_and_a_broken_one_is() -> None:
    refused, broken = Judgement("a.pdf", "damaged"), Judgement("b.pdf", "died")

    assert [bars([one])[0].outcome for one in (refused, broken)] == ["pass", "FAIL"]


def test_the_table_names_the_reason_of_what_failed() -> None:
    assert "E2 tail: of 143 names" in table([counted("E2", "tail", 5000, 4096, " B", "of 143 names")])


def test_the_nursery_counts_the_time_and_the_memory_of_a_child_and_passes_on_its_error() -> None:
    # in a process of its own: what a large parent once took counts as its children's memory, too
    told = json.loads(subprocess.check_output([sys.executable, "-m", "tests.benchmarks.nursing"], cwd=ROOT))

    assert told["value"] == 50_000_000 + sum(range(1_000_000))
    assert told["busy"] > told["idle"]
    assert told["more"] > 40_000_000
    assert told["error"] == "no"
    assert told["all"] > told["idle"] + told["busy"]
