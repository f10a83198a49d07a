"""Agreement files with a mistake in them: each is refused before it is ever used, with the place and what would be right."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drm.agreements import AgreementError, load_agreements

GOOD = """
vocabulary = 1
[[agreement]]
id = "lic"
title = "Licence"
jurisdiction = "IE"
kind = "licence"
version = 1
effective_from = "2026-01-01"
[agreement.copy]
print = "low"
[agreement.link]
ttl = "P30D"
opens = 5
[agreement.oblige]
stamp = ["no_further_copies"]
retain = { record = "request", until = "P3Y", from = "filled_at" }
[[agreement.rule]]
id = "lic.gate"
type = "gate"
require = { "request.copies" = { le = 1 } }
effect = "deny"
reason = "MULTIPLE_COPIES"
[[agreement.rule]]
id = "lic.cap"
type = "limit"
when = { "issue.date" = { age_le = "P5Y", at = "request.at" } }
measure = "copies"
max = 5
per = ["entity", "title"]
window = { type = "calendar", unit = "year", tz = "Europe/Dublin", anchor = "filled_at" }
count = ["filled"]
hold = ["reserved"]
effect = "needs_approval"
reason = "LICENCE_JOURNAL_CAP"
[[agreement.rule]]
id = "lic.share"
type = "limit"
measure = "percent_pages"
percent = 10
per = ["reader", "work"]
window = { type = "rolling", duration = "P7D" }
count = ["filled"]
on_unknown = { effect = "needs_approval", reason = "UNKNOWN_TOTAL_PAGES" }
effect = "deny"
reason = "PORTION_EXCEEDED"
[[agreement.rule]]
id = "lic.fee"
type = "fee"
currency = "EUR"
minor = 2
tariff = [{ when = {}, first_page = "1.50", next_page = "0.10" }]
effect = "needs_fee"
reason = "COMPENSATION_DUE"
[[agreement.rule]]
id = "lic.said"
type = "declare"
by = "reader"
all = ["named"]
effect = "needs_declaration"
reason = "DECLARATION_INCOMPLETE"
"""

# What is written, what is written instead, and a word that the message must hold.
MISTAKES = [
    ("vocabulary = 1", "vocabulary = 2", "vocabulary"),
    ("vocabulary = 1\n", "", "vocabulary"),
    ("vocabulary = 1", "vocabulary = 1\nvocabulry = 1", "vocabulry"),
    ("[[agreement]]", "[agreement]", "agreement"),
    ('id = "lic"\n', "", "id"),
    ('id = "lic"', "id = 7", "id"),
    ('id = "lic"', 'id = ""', "id"),
    ('title = "Licence"\n', "", "title"),
    ('title = "Licence"', 'title = ["a"]', "title"),
    ('jurisdiction = "IE"\n', "", "jurisdiction"),
    ('kind = "licence"', 'kind = "promise"', "kind"),
    ('kind = "licence"', 'kind = "licence"\noverrides_contract = true', "overrides_contract"),
    ("version = 1\neff", 'version = "one"\neff', "version"),
    ("version = 1\neff", "version = 0\neff", "version"),
    ("version = 1\neff", "version = -3\neff", "version"),
    ("version = 1\neff", "version = 1.5\neff", "version"),
    ('effective_from = "2026-01-01"', 'effective_from = "soon"', "effective_from"),
    ('effective_from = "2026-01-01"', 'effective_from = "2026-13-01"', "effective_from"),
    ('effective_from = "2026-01-01"', 'effective_from = "2026-05-01"\neffective_to = "2026-04-01"', "effective_to"),
    ('print = "low"', 'print = "medium"', "print"),
    ('print = "low"', "encrypted = true", "encrypted"),
    ('print = "low"', 'show_name = "no"', "show_name"),
    ('print = "low"', 'password = "secret"', "password"),
    ('ttl = "P30D"', 'ttl = "30 days"', "ttl"),
    ('ttl = "P30D"', 'ttl = "P1Y6M"', "ttl"),
    ('ttl = "P30D"', 'ttl = "P0D"', "ttl"),
    ('ttl = "P30D"', 'ttl_from = "whenever"', "ttl_from"),
    ("opens = 5", "opens = -1", "opens"),
    ("opens = 5", "opens = 2.5", "opens"),
    ("opens = 5", "open = 5", "open"),
    ('opens = 5', 'use_period = { business_days = 5, duration = "P3D", from = "first_use" }', "use_period"),
    ('until = "P3Y"', 'until = "three years"', "until"),
    ('until = "P3Y"', 'until = "end_of_year+x"', "until"),
    ('from = "filled_at"', 'from = "someday"', "from"),
    ("stamp = [", "stamps = [", "stamps"),
    ('stamp = ["no_further_copies"]', 'stamp = "no_further_copies"', "stamp"),
    ('id = "lic.gate"\n', "", "id"),
    ('id = "lic.cap"', 'id = "lic.gate"', "lic.gate"),
    ('type = "gate"', 'type = "gait"', "type"),
    ('type = "gate"\n', "", "type"),
    ('require = { "request.copies" = { le = 1 } }', "require = {}", "require"),
    ('require = { "request.copies" = { le = 1 } }\n', "", "require"),
    ("{ le = 1 }", '{ le = "one" }', "request.copies"),
    ("{ le = 1 }", "{ lt = 1 }", "request.copies"),
    ("{ le = 1 }", "{ le = 1, ne = 2 }", "request.copies"),
    ("{ le = 1 }", "[]", "request.copies"),
    ('effect = "deny"\nreason = "MULTIPLE_COPIES"', 'effect = "forbid"\nreason = "MULTIPLE_COPIES"', "effect"),
    ('effect = "deny"\nreason = "MULTIPLE_COPIES"', 'reason = "MULTIPLE_COPIES"', "effect"),
    ('reason = "MULTIPLE_COPIES"\n', "", "reason"),
    ('reason = "MULTIPLE_COPIES"', 'reason = "MULTIPLE_COPIES"\nseverity = 3', "severity"),
    ('{ age_le = "P5Y", at = "request.at" }', '{ age_le = "P5Y" }', "issue.date"),
    ('{ age_le = "P5Y", at = "request.at" }', '{ age_le = "PT5H", at = "request.at" }', "issue.date"),
    ('{ age_le = "P5Y", at = "request.at" }', '{ age_le = "P5Y", at = "request.at", partial = "middle" }', "issue.date"),
    ('measure = "copies"', 'measure = "kilos"', "measure"),
    ('measure = "copies"\n', "", "measure"),
    ("max = 5", "max = -5", "max"),
    ("max = 5", 'max = "five"', "max"),
    ("max = 5", "max = 5.5", "max"),
    ("max = 5\n", "", "max"),
    ('per = ["entity", "title"]', 'per = ["entity", "planet"]', "per"),
    ('per = ["entity", "title"]', 'per = "entity"', "per"),
    ('type = "calendar"', 'type = "sometimes"', "type"),
    ('unit = "year"', 'unit = "fortnight"', "unit"),
    ('unit = "year", ', "", "unit"),
    ('unit = "year"', 'unit = "year", duration = "P1Y"', "duration"),
    ('unit = "year"', 'unit = "week", starts = "sunday"', "starts"),
    ('tz = "Europe/Dublin"', 'tz = "Mars/Olympus"', "tz"),
    ('tz = "Europe/Dublin"', 'tz = "../etc/passwd"', "tz"),
    ('anchor = "filled_at"', 'anchor = "opened_at"', "anchor"),
    ('count = ["filled"]\nhold', 'count = ["eaten"]\nhold', "count"),
    ('hold = ["reserved"]', 'hold = ["rejected"]', "hold"),
    ("percent = 10", "percent = 110.5", "percent"),
    ("percent = 10", "percent = -1", "percent"),
    ("percent = 10\n", "", "percent"),
    ("percent = 10", "percent = 101", "percent"),
    ("max = 5", "max = 99999999999999999999", "max"),
    ('ttl = "P30D"', 'ttl = "P99999Y"', "ttl"),
    ('duration = "P7D"', 'duration = "P99999M"', "duration"),
    ("minor = 2", "minor = 2000000000", "minor"),
    ('type = "rolling", duration = "P7D"', 'type = "rolling"', "duration"),
    ('type = "rolling", duration = "P7D"', 'type = "rolling", duration = "7"', "duration"),
    ('type = "rolling", duration = "P7D"', 'type = "rolling", duration = "P0D"', "duration"),
    ('type = "rolling", duration = "P7D"', 'type = "rolling", duration = "P7D", unit = "day"', "unit"),
    ('on_unknown = { effect = "needs_approval", reason = "UNKNOWN_TOTAL_PAGES" }\n', "", "on_unknown"),
    ('on_unknown = { effect = "needs_approval", reason', 'on_unknown = { effect = "maybe", reason', "effect"),
    ('currency = "EUR"\n', "", "currency"),
    ("minor = 2", "minor = -2", "minor"),
    ('first_page = "1.50"', "first_page = 1.5", "first_page"),
    ('first_page = "1.50"', 'first_page = "one fifty"', "first_page"),
    ('first_page = "1.50", next_page = "0.10"', 'per_page = 1, first_page = 2', "tariff"),
    ("tariff = [{", "tariff = []\n# [{", "tariff"),
    ('all = ["named"]\n', "", "all"),
    ('all = ["named"]', 'all = ["named"]\nany = ["named"]', "a"),
    ('by = "reader"', 'by = "neighbour"', "by"),
    ('by = "reader"', "by = [", "TOML"),
    ('kind = "licence"', 'kind = "licence', "TOML"),
    ("version = 1\neff", "version = 1\nversion = 2\neff", "TOML"),
]  # fmt: skip


CURES = ("must", "write", "give", "leave", "needs", "needed", "such as", "mend")
"""Words by which a message tells what to do."""


def test_the_good_file_is_good() -> None:
    [agreement] = load_agreements(GOOD)

    assert len(agreement.rules) == 5


@pytest.mark.parametrize(("written", "instead", "word"), MISTAKES, ids=[f"{n}-{m[2]}" for n, m in enumerate(MISTAKES)])
def test_a_mistake_is_refused_with_its_place(written: str, instead: str, word: str) -> None:
    assert written in GOOD

    with pytest.raises(AgreementError) as refused:
        load_agreements(GOOD.replace(written, instead, 1), "lic.toml")

    message = str(refused.value)
    assert message.startswith("lic.toml")
    assert word in message
    assert any(cure in refused.value.problem for cure in CURES), "it does not say what would be right"


def test_a_mistake_in_a_rule_names_agreement_rule_and_key() -> None:
    with pytest.raises(AgreementError) as refused:
        load_agreements(GOOD.replace('unit = "year"', 'unit = "fortnight"'), "lic.toml")

    assert (refused.value.agreement, refused.value.rule, refused.value.key) == ("lic", "lic.cap", "window.unit")


@pytest.mark.parametrize("version", [1, 2])
def test_two_versions_of_one_agreement_in_force_at_once_are_refused_with_the_cure(version: int) -> None:
    other = GOOD.replace("vocabulary = 1\n", "").replace("version = 1\n", f"version = {version}\n")

    with pytest.raises(AgreementError, match=r"agreement lic, key id: stands twice; .* a file of its own"):
        load_agreements(GOOD + other)


def test_a_slip_of_the_pen_is_told_the_word_that_was_meant() -> None:
    for written, slip, meant in (
        ('measure = "copies"', 'measures = "copies"', "measure"),
        ('"entity"', '"entitty"', "entity"),
    ):
        with pytest.raises(AgreementError, match=f"did you mean {meant}\\? write one of "):
            load_agreements(GOOD.replace(written, slip, 1))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(AgreementError):
        load_agreements(text)


@given(st.data())
def test_a_good_file_with_anything_at_any_place_is_read_or_refused_in_words(data: st.DataObject) -> None:
    lines = GOOD.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    key, separator, _ = lines[place].partition(" = ")
    values = st.sampled_from(
        ["0", "-1", "1e400", "nan", '""', "true", "[]", "{}", '[["a"]]', "1979-05-27", "{ a = { b = 1 } }", '"\\u0000"']
    )
    if separator:
        lines[place] = f"{key} = {data.draw(values)}"

    with contextlib.suppress(AgreementError):
        load_agreements("\n".join(lines))
