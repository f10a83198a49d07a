"""What the commands about agreements say for odd files."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from admin.cli import rushlight
from drm.agreements import load_agreements
from drm.policy import decide

HEAD = 'vocabulary = 1\n[[agreement]]\nid = "{name}"\ntitle = "A"\njurisdiction = "IE"\nkind = "licence"\nversion = 1\n'
LIMIT = """[[agreement.rule]]
id = "{name}.copies"
type = "limit"
measure = "copies"
max = 1
per = ["entity"]
window = {{ type = "rolling", duration = "P1M" }}
count = ["filled"]
effect = "deny"
reason = "MULTIPLE_COPIES"
{more}
"""


def text(name: str = "a", more: str = "") -> str:
    return (HEAD + LIMIT).format(name=name, more=more)


def run(tmp_path: Path, *command: str, agreements: str = "", cases: object = None) -> tuple[int, str]:
    (tmp_path / "a.toml").write_text(agreements or text())
    (tmp_path / "c.json").write_text(json.dumps({"schema_version": 1, "cases": cases}))
    names = {"A": str(tmp_path / "a.toml"), "C": str(tmp_path / "c.json")}
    result = CliRunner().invoke(rushlight, ["rights", *(names.get(word, word) for word in command)])
    return result.exit_code, result.output


def test_a_case_id_that_no_terminal_can_print_still_gives_one_line(tmp_path: Path) -> None:
    code, output = run(tmp_path, "test", "--policies", "A", "C", cases=[{"id": "\ud800\nb", "kind": "x"}])

    assert code == 1
    assert len(output.splitlines()) == 2
    assert output.splitlines()[0].startswith("FAIL \\ud800 b error: ")


def test_a_rule_that_its_own_exemption_switches_off_is_warned_of(tmp_path: Path) -> None:
    more = 'when = { "request.item" = ["article"] }\nunless = [{ "request.item" = ["article", "book_part"] }]'
    code, output = run(tmp_path, "check", "A", agreements=text(more=more))

    assert code == 0
    assert "warning: a v1, a.copies: 'when' can never hold" in output


def test_a_rule_for_a_fact_that_is_absent_and_asked_for_is_warned_of(tmp_path: Path) -> None:
    more = 'when = { "reader" = { known = false }, "reader.id" = "R" }'
    _, output = run(tmp_path, "check", "A", agreements=text(more=more))

    assert "reader is absent, yet reader.id is asked for" in output


def test_a_rule_that_can_apply_is_not_warned_of(tmp_path: Path) -> None:
    more = 'when = { "request.item" = ["article"] }\nunless = [{ "request.item" = "book_part" }]'
    _, output = run(tmp_path, "check", "A", agreements=text(more=more))

    assert "warning" not in output


def test_a_misspelt_fact_is_warned_of_wherever_it_stands_since_it_would_switch_a_rule_off(tmp_path: Path) -> None:
    for more in (
        'when = { "reqest.item" = "article" }',
        'unless = [{ "reqest.item" = "article" }]',
        'when = { "issue.date" = { age_gt = "P5Y", at = "reqest.at" } }',
        'when = { "supplier.country" = { same_as = "reqest.item" } }',
    ):
        code, output = run(tmp_path, "check", "A", agreements=text(more=more))

        assert code == 0
        assert "warning: a v1, a.copies: nobody supplies the fact reqest." in output
        assert "did you mean request." in output


def test_a_flag_of_any_name_is_not_warned_of(tmp_path: Path) -> None:
    _, output = run(tmp_path, "check", "A", agreements=text(more='when = { "flags.our_own" = true }'))

    assert "warning" not in output


def test_a_reason_without_a_sentence_is_warned_of(tmp_path: Path) -> None:
    written = text().replace("MULTIPLE_COPIES", "MULTIPLE_COPYS")
    _, output = run(tmp_path, "check", "A", agreements=written)

    assert "there is no sentence for MULTIPLE_COPYS, did you mean MULTIPLE_COPIES" in output


def test_two_agreements_that_count_the_same_thing_are_warned_of(tmp_path: Path) -> None:
    both = text("a") + text("b").replace("vocabulary = 1\n", "")
    _, output = run(tmp_path, "check", "A", agreements=both)

    assert "warning: a (a.copies) and b (b.copies) count the same thing" in output


def test_a_record_of_31_january_leaves_a_month_long_window_when_march_begins() -> None:
    agreements = load_agreements(text())
    facts = {"entity": {"id": "E", "tz": "UTC"}, "request": {"at": "2027-02-10T10:00:00Z"}}
    old = {"status": "filled", "request": {"at": "2027-01-31T10:00:00Z"}}
    decision = decide([agreements], facts, [old])

    assert decision.rules[0].resets == "2027-03-01T00:00:00+00:00"
    assert decide([agreements], facts | {"request": {"at": "2027-02-28T23:59:59Z"}}, [old]).reason == "MULTIPLE_COPIES"
    assert decide([agreements], facts | {"request": {"at": "2027-03-01T00:00:00Z"}}, [old]).reason == "OK"
