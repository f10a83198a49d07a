"""A slip of the pen that loads all the same is warned of, for it would switch something off unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin.cli import rushlight
from drm.agreement_warnings import warnings
from drm.agreements import AgreementError, load_agreements
from drm.statements import statement, statements_of, without_words
from tests.drm.test_bad_agreements import GOOD

DECLARE = """
[[agreement.rule]]
id = "lic.declare"
type = "declare"
by = "reader"
all = ["named"]
effect = "needs_declaration"
reason = "DECLARATION_INCOMPLETE"
"""
TEXT = GOOD + DECLARE
OWN = '[agreement.statements.promised]\nen = "I promise."\nzh = "本人承诺。"\nversion = 3\n'


def lines(old: str, new: str) -> str:
    assert old in TEXT
    return "\n".join(warnings(load_agreements(TEXT.replace(old, new, 1))))


def test_a_good_text_is_warned_of_nothing() -> None:
    assert lines("", "") == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"issue.date" = {', '"request.item" = "artcle", "issue.date" = {', "did you mean article"),
        ('"issue.date" = {', '"request.via" = "interlibrary", "issue.date" = {', "request.via is never 'interlibrary'"),
        ('"issue.date" = {', '"flags.owned" = "yes", "issue.date" = {', "is true or false"),
        ('"issue.date" = {', '"entity.country" = "UK", "issue.date" = {', "entity.country is never 'UK'"),
        ('all = ["named"]', 'all = ["nomed"]', "did you mean named"),
        ('jurisdiction = "IE"', 'jurisdiction = "UK"', "did you mean GB"),
        ('jurisdiction = "IE"', 'jurisdiction = "Germany"', "did you mean DE"),
        ("[agreement.copy]", '[agreement.terms]\nenglish = "x"\n[agreement.copy]', "no code of a language"),
        ('currency = "EUR"', 'currency = "eur"', "ISO 4217"),
        ("opens = 5", "opens = 0", "nobody can ever open"),
        ('count = ["filled"]\nhold = ["reserved"]', "count = []\nhold = []", "name nothing that counts"),
        ('count = ["filled"]', 'count = ["filled", "cancelled"]', "'cancelled' is counted by no rule"),
        ("percent = 10", "percent = 0", "permits no page"),
        ('per = ["entity", "title"]', 'per = ["entity", "entity"]', "a part twice"),
        ('per = ["entity", "title"]', "per = []", "counted together"),
    ],
)
def test_a_slip_is_warned_of(old: str, new: str, said: str) -> None:
    assert said in lines(old, new)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('until = "P3Y"', 'until = "end_of_year + 3"', "write end_of_year+3"),
        ('"request.copies" = { le = 1 }', "request.copies = { le = 1 }", '"request.copies" = ...'),
        ('kind = "licence"', 'kind = "license"', "not 'license'; did you mean licence"),
        ('id = "lic.cap"', 'id = "lic.gate"', "here and in agreement lic"),
    ],
)
def test_a_message_names_the_cure(old: str, new: str, said: str) -> None:
    with pytest.raises(AgreementError) as caught:
        load_agreements(TEXT.replace(old, new, 1))

    assert said in str(caught.value)


def test_a_mark_before_the_text_is_none_of_it() -> None:
    assert load_agreements(f"\ufeff{TEXT}") == load_agreements(TEXT)


def test_an_unknown_obligation_names_file_key_and_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(TEXT.replace("no_further_copies", "no_copies_please"), encoding="utf-8-sig")

    told = CliRunner().invoke(rushlight, ["rights", "check", str(file)])

    assert told.exit_code == 1
    assert "x.toml, agreement lic, key oblige.stamp" in told.output
    assert "no_further_copies" in told.output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"history": ["x"]}, "history is a list of tables"),
        ({"request": {"pages": "3-9"}}, "request.pages is a list"),
        ({"history": [{"request": {"pages": "3-9"}}]}, "history record 1: request.pages is a list"),
    ],
)
def test_a_case_that_is_written_wrongly_says_where(tmp_path: Path, given: dict[str, object], said: str) -> None:
    (tmp_path / "x.toml").write_text(TEXT, encoding="utf-8")
    expect = {"decision": "allow", "reason": "OK", "all_reasons": [], "counts": {}}
    case = {"id": "C", "kind": "request", "entity": {"tz": "UTC"}, "policies": ["lic"], "expect": expect, **given}
    (tmp_path / "c.json").write_text(json.dumps({"schema_version": 1, "cases": [case]}), encoding="utf-8")

    told = CliRunner().invoke(
        rushlight, ["rights", "test", "--policies", str(tmp_path / "x.toml"), str(tmp_path / "c.json")]
    )

    assert told.output.startswith("FAIL C error: ")
    assert said in told.output


def test_an_agreement_has_words_of_its_own_for_a_statement() -> None:
    text = TEXT.replace("[agreement.copy]", f"{OWN}[agreement.copy]", 1).replace(
        'all = ["named"]', 'all = ["promised"]'
    )
    [agreement] = load_agreements(text)
    rule = next(one for one in agreement.rules if one.all_of)

    [ours] = statements_of(agreement, rule, "zh")

    assert (ours.text, ours.version, without_words(agreement)) == ("本人承诺。", 3, ())
    assert without_words(load_agreements(TEXT.replace('all = ["named"]', 'all = ["promised"]'))[0]) == ("promised",)


def test_a_country_has_its_own_words_where_its_law_states_other_things() -> None:
    texts = {statement("not_previously_supplied", place, "en").text for place in ("GB", "IE", "any")}

    assert len(texts) == 2
