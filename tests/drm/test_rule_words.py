"""Rules are told in both languages, with nothing of the vocabulary's own left in them."""

from __future__ import annotations

import pytest

from drm.agreements import load_agreements
from drm.rule_words import rule_words

LIMIT = """vocabulary = 1
[[agreement]]
id = "a"
title = "A"
jurisdiction = "IE"
kind = "licence"
version = 1
[[agreement.rule]]
id = "a.limit"
type = "limit"
measure = "copies"
max = 3
per = ["entity", "title"]
window = {window}
count = ["filled"]
hold = ["reserved"]
effect = "needs_approval"
reason = "LICENCE_VOLUME_CAP"
"""


@pytest.mark.parametrize(
    ("window", "english", "chinese"),
    [
        ('{ type = "calendar", unit = "year" }', "library, title · each calendar year", "图书馆、题名 · 每自然年"),
        ('{ type = "rolling", duration = "P7D" }', "library, title · in any 7 days", "图书馆、题名 · 任意7天内"),
        ('{ type = "rolling", duration = "P1M" }', "library, title · in any 1 month", "图书馆、题名 · 任意1个月内"),
        ('{ type = "lifetime" }', "library, title · for ever", "图书馆、题名 · 不限期"),
        ('{ type = "request" }', "library, title · in one request", "图书馆、题名 · 单次申请"),
    ],
)
def test_a_limit_says_by_what_and_over_which_time_it_counts(window: str, english: str, chinese: str) -> None:
    (agreement,) = load_agreements(LIMIT.replace("{window}", window))

    told = [rule_words(agreement.rules[0], language) for language in ("en", "zh")]

    assert [one.counted for one in told] == [english, chinese]
    assert [(one.kind, one.otherwise) for one in told] == [("limit", "needs approval"), ("限额", "须经审核")]


def test_what_counts_nothing_says_no_time() -> None:
    text = LIMIT.split("[[agreement.rule]]", maxsplit=1)[0]
    gate = '[[agreement.rule]]\nid = "a.gate"\ntype = "gate"\nrequire = { "request.item" = "article" }\n'
    (agreement,) = load_agreements(f'{text}{gate}effect = "deny"\nreason = "X"\n')

    assert rule_words(agreement.rules[0], "en").counted == ""
