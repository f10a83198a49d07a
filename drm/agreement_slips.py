"""Slips of the pen in an agreement that load all the same: each would switch something off unseen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from drm.agreement_rules import Rule
from drm.agreements import Agreement
from drm.countries import CODES, SLIPS, WIDER
from drm.fact_values import SWITCHES, VALUES
from drm.facts.conditions import Condition
from drm.statements import has_words, known_codes

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
CURRENCY = re.compile(r"[A-Z]{3}")
MOST_MINOR = 4
"""No currency has more digits after the point."""
COMPARING = frozenset({"is", "in", "ne", "not_in"})


def meant(word: str, known: Sequence[str]) -> str:
    """The nearest of the known words, as a question."""
    near = difflib.get_close_matches(word, known, 1)
    return f", did you mean {near[0]}" if near else ""


def agreement_slips(agreement: Agreement) -> Iterator[str]:
    """Slips outside the rules."""
    place = agreement.jurisdiction
    if place not in CODES | WIDER:
        near = SLIPS.get(place.upper(), "")
        hint = f"did you mean {near}? " if near else ""
        yield f"jurisdiction {place!r} is no country; {hint}write two letters of ISO 3166 such as GB, EU, or * for any"
    for name, texts in (("terms", agreement.terms), ("notice", agreement.notice)):
        for language in texts:
            if not LANGUAGE.fullmatch(language):
                yield f"{name}.{language}: {language!r} is no code of a language, so nobody is shown it; write en or zh"
    if agreement.link is not None:
        if agreement.link.opens == 0:
            yield "link.opens = 0: nobody can ever open the copy"
        if agreement.link.max_bytes is not None and agreement.link.max_bytes < 1024:
            yield f"link.max_bytes = {agreement.link.max_bytes}: no copy is that small"


def rule_slips(rule: Rule, agreement: Agreement) -> Iterator[str]:
    """Slips inside one rule."""
    yield from _values(rule)
    if rule.type == "limit":
        yield from _counts(rule)
    if rule.type == "fee":
        if not CURRENCY.fullmatch(rule.currency):
            yield f"currency {rule.currency!r} is no code of ISO 4217; write three capital letters such as EUR"
        if rule.minor > MOST_MINOR:
            yield f"minor = {rule.minor}: no currency has so many digits after the point; write 0 to {MOST_MINOR}"
    for code in (*rule.all_of, *rule.any_of):
        if not has_words(agreement, code):
            near = meant(code, sorted(known_codes()))
            yield f"there are no words for the statement {code!r} in both languages{near}; it cannot be confirmed without"


def _values(rule: Rule) -> Iterator[str]:
    tables = [rule.when, rule.require, *rule.unless, *(line.when for line in rule.tariff)]
    for test in (test for table in tables for test in table if test.operator in COMPARING):
        written = test.value if isinstance(test.value, tuple) else (test.value,)
        for value in written:
            yield from _value(test, value)


def _value(test: Condition, value: object) -> Iterator[str]:
    known = VALUES.get(test.path)
    if known and value not in known:
        yield f"{test.path} is never {value!r}{meant(str(value), known)}; it is one of {', '.join(known)}"
    elif (test.path in SWITCHES or test.path.startswith("flags.")) and not isinstance(value, bool):
        yield f"{test.path} is true or false, never {value!r}"
    elif test.path in {"entity.country", "supplier.country"} and value not in CODES:
        yield f"{test.path} is never {value!r}; countries are two letters of ISO 3166 such as GB"


def _counts(rule: Rule) -> Iterator[str]:
    if rule.window.type != "request" and not rule.count - {"cancelled"} and not rule.hold - {"cancelled"}:
        yield "'count' and 'hold' name nothing that counts, so that no earlier copy ever does"
    if "cancelled" in rule.count | rule.hold:
        yield "'cancelled' is counted by no rule; leave it out"
    if len(set(rule.per)) < len(rule.per):
        yield "'per' names a part twice"
    if not rule.per and rule.window.type != "request":
        yield "'per' is empty, so that the copies of all libraries, readers and works are counted together"
    if any(one.name == "percent_pages" and one.percent == 0 for one in rule.measures):
        yield "percent = 0 permits no page at all"
