"""The words that readers sign, by statement code, country and version."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from drm.agreement_rules import Rule
from drm.agreements import Agreement


@dataclass(frozen=True)
class Statement:
    """One statement as it is shown: its code, the words in the reader's language, and the version of the words (0: no text)."""

    code: str
    text: str
    version: int


@lru_cache(maxsize=1)
def _texts() -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    return tomllib.loads(Path(__file__).with_name("statements.toml").read_text(encoding="utf-8"))


def statement(
    code: str, jurisdiction: str, language: str, own: Mapping[str, Mapping[str, str | int]] = MappingProxyType({})
) -> Statement:
    """The words for a code: the agreement's own, else those of its country, else the general ones.

    Without any the code itself stands, so that nothing is signed unseen; an agreement cannot be confirmed then.
    """
    word = "zh" if language.startswith("zh") else "en"
    if code in own:
        return Statement(code, str(own[code][word]), int(own[code]["version"]))
    by_country = _texts().get(code, {})
    entry = by_country.get(jurisdiction) or by_country.get("any")
    if entry is None:
        return Statement(code, code.replace("_", " "), 0)
    return Statement(code, str(entry[word]), int(str(entry["version"])))


def statements_of(agreement: Agreement, rule: Rule, language: str) -> tuple[Statement, ...]:
    """What a rule asks to be stated: all of these, or one of them."""
    own = agreement.statements
    return tuple(statement(code, agreement.jurisdiction, language, own) for code in rule.all_of or rule.any_of)


def known_codes() -> frozenset[str]:
    """All codes that have words."""
    return frozenset(_texts())


def has_words(agreement: Agreement, code: str) -> bool:
    """Whether a statement has words in both languages, for this agreement."""
    if code in agreement.statements:
        return True
    by_country = _texts().get(code, {})
    entry = by_country.get(agreement.jurisdiction) or by_country.get("any")
    return bool(entry and entry.get("en") and entry.get("zh"))


def without_words(agreement: Agreement) -> tuple[str, ...]:
    """The statements that an agreement asks for and nobody has written words for."""
    codes = dict.fromkeys(code for rule in agreement.rules for code in (*rule.all_of, *rule.any_of))
    return tuple(code for code in codes if not has_words(agreement, code))
