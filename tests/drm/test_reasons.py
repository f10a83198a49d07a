"""Decisions in words: for an auditor with the very keys, for a reader without them and in his library's time."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from delivery.formats import told_time
from drm.agreements import load_agreements
from drm.policy import decide
from drm.reasons import Explanation, explain, reason_codes, says, ways_on
from tests.delivery.web_test_support import signed_in
from tests.world import LIMITED, World

YEARLY = """
vocabulary = 1
[[agreement]]
id = "lic"
title = "Licence"
jurisdiction = "US"
kind = "licence"
version = 1
[[agreement.rule]]
id = "lic.year"
type = "limit"
measure = "copies"
max = 1
per = ["entity", "title"]
window = { type = "calendar", unit = "year", tz = "Asia/Shanghai" }
count = ["filled"]
effect = "deny"
reason = "LICENCE_JOURNAL_CAP"
"""
FACTS = {
    "entity": {"id": "E1", "tz": "America/New_York"},
    "request": {"at": "2026-11-24T09:00:00Z", "item": "article"},
    "work": {"issn": "0378-595x"},
}
RECORD = {**FACTS, "status": "filled", "request": {"at": "2026-03-01T09:00:00Z"}}


def explained(language: str, page: bool) -> Explanation:
    agreements = load_agreements(YEARLY)
    decision = decide([agreements], FACTS, [RECORD])
    zone = ZoneInfo("America/New_York")
    return explain(
        decision, agreements, FACTS, (), language, (lambda at: told_time(at, zone, language)) if page else None
    )


def test_an_auditor_sees_the_keys_as_people_write_them() -> None:
    rule = explained("en", page=False).rules[0]

    assert rule.line == "used 1 of 1, this 1 (library E1, title 0378-595X)"
    assert rule.resets == "resets 2027-01-01 00:00 Asia/Shanghai"


@pytest.mark.parametrize(
    ("language", "counted_for", "resets"),
    [
        (
            "en",
            "counted for your library and this title",
            "starts again Thursday 31 December 2026, 11:00, New York time (UTC-5)",
        ),
        ("zh", "按所属馆和该题名计算", "2026年12月31日（星期四）11:00，New York时间（UTC-5）重新计算"),
    ],
)
def test_a_reader_sees_no_keys_and_his_librarys_time(language: str, counted_for: str, resets: str) -> None:
    rule = explained(language, page=True).rules[0]

    assert (rule.counted_for, rule.resets) == (counted_for, resets)
    assert "E1" not in rule.words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "used 0 of 1, this 1; title not known, so that earlier copies cannot be counted"),
        ("zh", "已用0/1，本次1；题名未知，以前的副本无法计入"),
    ],
)
def test_a_limit_that_cannot_count_for_want_of_a_title_says_so(language: str, words: str) -> None:
    facts = {**FACTS, "work": {}}
    agreements = load_agreements(YEARLY)

    rule = explain(decide([agreements], facts, [RECORD]), agreements, facts, (), language).rules[0]

    assert rule.words == words
    assert "?" not in rule.line + rule.counted_for + rule.shown_keys


def test_a_key_that_holds_a_bar_is_shown_whole() -> None:
    facts = {**FACTS, "work": {"id": "ty:a paper|1999"}}
    agreements = load_agreements(YEARLY)

    rule = explain(decide([agreements], facts, []), agreements, facts, (), "en").rules[0]

    assert rule.keys == "library E1, title ty:a paper|1999"


def test_a_code_without_a_text_says_what_its_effect_means() -> None:
    agreements = load_agreements(YEARLY.replace("LICENCE_JOURNAL_CAP", "A_CODE_OF_OUR_OWN"))

    found = explain(decide([agreements], FACTS, [RECORD]), agreements, FACTS, (), "en")

    assert "A_CODE_OF_OUR_OWN" not in reason_codes()
    assert found.sentence == "The agreement does not permit this."
    assert found.ways == ("ask a librarian",)


@pytest.mark.parametrize("code", reason_codes())
def test_every_reason_has_a_sentence_and_a_way_on_in_both_languages(code: str) -> None:
    assert says(code, "en") != says(code, "zh")
    assert len(ways_on(code, "en")) == len(ways_on(code, "zh"))


def test_the_page_of_a_refused_request_tells_rule_use_reset_and_ways_on_without_the_readers_key(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="deny"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    number = world.ask().number

    page = signed_in(world.reader_app(), world.reader).get(f"/requests/{number}").get_data(as_text=True)

    assert "used 0 of 0, this 1" in page
    assert "counted for you" in page
    assert "starts again Tuesday 1 December 2026, 00:00, Dublin time (UTC+0)" in page
    assert "What you can do" in page
    assert world.reader.reader_key not in page


def test_what_a_refused_request_used_up_is_seen_without_opening_anything(world: World) -> None:
    world.load(LIMITED.format(most=0, per="reader", effect="deny"))
    for source in ("collection", "desk"):
        world.bind(source, ["limited"])
    number = world.ask().number

    page = signed_in(world.reader_app(), world.reader).get(f"/requests/{number}").get_data(as_text=True)

    before_details = page.split("<details")[0]
    assert "Limited agreement · used 0 of 0, this 1 · counted for you · starts again Tuesday" in before_details
