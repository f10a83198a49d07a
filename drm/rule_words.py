"""What kind of rule one is, what becomes of a request that it stops, and by what and over which time it counts, in words."""

from __future__ import annotations

from dataclasses import dataclass

from drm.agreement_rules import Rule, Window
from drm.facts.durations import Duration
from drm.reasons import PARTS, WORDS

TYPES = {
    "gate": ("condition", "条件"),
    "limit": ("limit", "限额"),
    "declare": ("declaration", "声明"),
    "fee": ("fee", "费用"),
}
WINDOWS = {"request": ("in one request", "单次申请"), "lifetime": ("for ever", "不限期")}
YEARS = {
    "year": ("each calendar year", "每自然年"),
    "month": ("each calendar month", "每自然月"),
    "week": ("each calendar week", "每自然周"),
    "day": ("each day", "每日"),
}
UNITS = {"Y": ("year", "年"), "M": ("month", "个月"), "D": ("day", "天"), "H": ("hour", "小时")}


@dataclass(frozen=True)
class RuleWords:
    """A rule in words; ``counted`` is "" where it counts nothing."""

    kind: str
    otherwise: str
    counted: str


def rule_words(rule: Rule, language: str) -> RuleWords:
    """The words for a rule in Chinese or English."""
    chinese = language.startswith("zh")
    kind, otherwise = TYPES[rule.type][chinese], WORDS[rule.effect.outcome.word][chinese]
    if rule.type != "limit":
        return RuleWords(kind, otherwise, "")
    parts = ("、" if chinese else ", ").join(PARTS[part][chinese] for part in rule.per)
    return RuleWords(kind, otherwise, " · ".join(filter(None, (parts, window_words(rule.window, language)))))


def window_words(window: Window, language: str) -> str:
    """The time over which a limit counts."""
    chinese = language.startswith("zh")
    if window.type == "calendar":
        return YEARS[window.unit][chinese]
    if window.duration is None:
        return WINDOWS[window.type][chinese]
    length = _length(window.duration, chinese)
    return f"任意{length}内" if chinese else f"in any {length}"


def _length(duration: Duration, chinese: bool) -> str:
    unit = UNITS[duration.unit][chinese]
    if chinese:
        return f"{duration.amount}{unit}"
    return f"{duration.amount} {unit}{'' if duration.amount == 1 else 's'}"
