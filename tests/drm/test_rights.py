"""Agreements and decisions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from admin.cli import rushlight
from drm.agreements import Agreement, AgreementError, load_agreements
from drm.decisions import Decision, Outcome
from drm.licence import combine_terms, load_presets
from drm.policy import decide
from tests.corpus import CORPUS

AGREEMENT = """
vocabulary = 1
[[agreement]]
id = "a"
title = "A"
jurisdiction = "IE"
kind = "licence"
version = 1
{more}
[[agreement.rule]]
id = "a.pages"
type = "limit"
measure = "pages"
max = 10
per = ["reader", "work"]
window = {{ type = "rolling", duration = "P7D" }}
count = ["filled"]
hold = ["reserved"]
effect = "deny"
reason = "PAGES"
"""


def agreement(more: str = "") -> tuple[Agreement, ...]:
    return load_agreements(AGREEMENT.format(more=more))


def facts(pages: list[str], at: str = "2026-11-24T10:00:00+00:00") -> dict[str, object]:
    return {
        "entity": {"id": "E", "tz": "Europe/Dublin"},
        "reader": {"id": "R"},
        "request": {"at": at, "item": "article", "pages": pages},
        "work": {"id": "W"},
    }


def record(pages: list[str], at: str, status: str = "filled") -> dict[str, object]:
    return {**facts(pages, at), "status": status, "filled_at": at}


def test_a_record_exactly_seven_days_old_has_left_the_window() -> None:
    old = record(["1-10"], "2026-11-17T10:00:00+00:00")
    young = record(["1-10"], "2026-11-17T10:00:01+00:00")

    assert decide([agreement()], facts(["11"]), [old]).outcome is Outcome.ALLOW
    assert decide([agreement()], facts(["11"]), [young]).outcome is Outcome.DENY


def test_a_rolling_limit_says_when_this_request_would_pass() -> None:
    decision = decide([agreement()], facts(["11"]), [record(["1-10"], "2026-11-20T09:00:00+00:00")])

    assert decision.rules[0].resets == "2026-11-27T09:00:00+00:00"


def test_a_record_counts_by_its_own_facts_whatever_agreement_it_was_under() -> None:
    other = {**record(["1-10"], "2026-11-23T10:00:00+00:00"), "under": ["b"]}

    assert decide([agreement()], facts(["11"]), [other]).outcome is Outcome.DENY


@given(
    st.permutations(["2026-11-20T09:00:00+00:00", "2026-11-21T09:00:00+01:00", "2026-11-22T09:00:00+08:00"]),
    st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_the_sequence_of_records_and_cancelled_ones_change_nothing(instants: list[str], cancelled: bool) -> None:
    history = [record([str(place)], at) for place, at in enumerate(sorted(instants))]
    shuffled = [record([str(sorted(instants).index(at))], at) for at in instants]
    if cancelled:
        shuffled.append(record(["7"], "2026-11-23T09:00:00+00:00", "cancelled"))

    assert (
        decide([agreement()], facts(["9"]), history).to_json()
        == decide([agreement()], facts(["9"]), shuffled).to_json()
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["id", "at", "pages", "tz", "item", "issn"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=100, deadline=None)
def test_deciding_never_raises_whatever_the_facts_are(odd: object) -> None:
    tree = {"entity": odd, "reader": odd, "request": odd, "work": odd, "flags": odd}

    assert isinstance(decide([agreement()], tree, [tree]).to_json(), bytes)


def test_a_decision_survives_being_stored() -> None:
    decision = decide([agreement()], facts(["1-11"]), [])

    assert Decision.from_dict(json.loads(decision.to_json())).to_json() == decision.to_json()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("max = 10", "max = -1"), "max"),
        (('per = ["reader", "work"]', 'per = ["planet"]'), "per"),
        (('effect = "deny"', 'effect = "maybe"'), "effect"),
        (('duration = "P7D"', 'duration = "a week"'), "window.duration"),
        (('reason = "PAGES"', 'reason = "PAGES"\nsurprise = 1'), "surprise"),
    ],
)
def test_a_mistake_in_an_agreement_is_named(change: tuple[str, str], key: str) -> None:
    with pytest.raises(AgreementError) as error:
        load_agreements(AGREEMENT.format(more="").replace(*change), "my.toml")

    assert (error.value.file, error.value.rule, error.value.key) == ("my.toml", "a.pages", key)


def test_the_stricter_of_two_agreements_wins_in_both_sequences() -> None:
    one = agreement('[agreement.copy]\nprint = "low"\nshow_name = false\n[agreement.link]\nopens = 9\n')
    two = load_agreements(
        AGREEMENT.format(more='[agreement.copy]\nprint = "full"\nshow_name = true\n').replace('"a', '"b')
    )

    for pair in ((*one, *two), (*two, *one)):
        terms = combine_terms(pair, load_presets())
        assert (terms.copy.print, terms.copy.show_name, terms.link.opens) == ("low", True, 5)


def test_the_worked_cases_all_pass() -> None:
    folder = CORPUS.parent / "rights"
    if not folder.is_dir():
        pytest.skip("the worked cases are not here")

    result = CliRunner().invoke(
        rushlight, ["rights", "test", "--policies", str(folder / "policies.toml"), str(folder / "cases.json")]
    )

    assert result.output.endswith("132 passed, 0 failed\n")


def test_a_case_file_with_a_wrong_expectation_fails_with_both_values(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(AGREEMENT.format(more=""))
    case = {
        "id": "C1",
        "kind": "request",
        "policies": ["a"],
        "history": [],
        "expect": {"decision": "deny", "reason": "OK", "all_reasons": [], "counts": {}},
        **facts(["1"]),
    }
    (tmp_path / "c.json").write_text(
        json.dumps({"schema_version": 1, "cases": [case, {"id": "C2", "kind": "request"}]})
    )

    result = CliRunner().invoke(
        rushlight, ["rights", "test", "--policies", str(tmp_path / "a.toml"), str(tmp_path / "c.json")]
    )

    assert result.exit_code == 1
    assert 'FAIL C1 decision: expected "deny", got "allow"; counts: expected {}' in result.output
    assert "FAIL C2 error:" in result.output
    assert result.output.endswith("0 passed, 2 failed\n")
