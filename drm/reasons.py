"""Decisions in words: what a reason code says to a reader, used x of y, when it resets, and the ways on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from drm.agreements import Agreement
from drm.decisions import Decision, Outcome, RuleResult

FALLBACK = {
    Outcome.ALLOW: ("This is permitted.", "可以提供。"),
    Outcome.NEEDS_DECLARATION: ("A declaration is needed first.", "须先作出使用声明。"),
    Outcome.NEEDS_FEE: ("A fee is due first.", "须先支付费用。"),
    Outcome.NEEDS_APPROVAL: ("A rights officer has to look at this first.", "须先由版权管理员审核。"),
    Outcome.DENY: ("The agreement does not permit this.", "协议不允许。"),
}
WORDS = {
    "used": ("used {used} of {limit}, this {this}", "已用{used}/{limit}，本次{this}"),
    "chapters": (
        "chapters {chapters_used} of {chapters_limit}, this {chapters_this}",
        "章节{chapters_used}/{chapters_limit}，本次{chapters_this}",
    ),
    "fee": ("fee {amount} {currency}", "费用{amount} {currency}"),
    "resets": ("resets {at} {zone}", "{at}（{zone}）重新计算"),
    "never": ("never: this request alone exceeds the limit", "不会：仅本次申请就已超出限额"),
    "does_not": ("does not reset", "不重新计算"),
    "from": ("possible from {at}", "{at}起可提供"),
    "scope": ("counted by {scope}", "按{scope}计算"),
    "can": ("the reader can: {ways}", "读者可以：{ways}"),
}


@dataclass(frozen=True)
class RuleExplanation:
    """One rule that applied, in words. ``resets_at`` is an ISO instant or date for pages to format, "" where there is none."""

    agreement: str
    title: str
    version: int
    rule: str
    outcome: Outcome
    sentence: str
    words: str
    scope: str
    resets: str
    resets_at: str
    counts: Mapping[str, object]


@dataclass(frozen=True)
class Explanation:
    """A decision in words."""

    outcome: Outcome
    reason: str
    sentence: str
    rules: tuple[RuleExplanation, ...]
    ways: tuple[str, ...]


@lru_cache(maxsize=1)
def _catalogue() -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    return tomllib.loads(Path(__file__).with_name("reasons.toml").read_text(encoding="utf-8"))


def reason_codes() -> tuple[str, ...]:
    """All codes that have a text."""
    return tuple(_catalogue()["reason"])


def says(code: str, language: str, outcome: Outcome = Outcome.DENY) -> str:
    """The sentence for a code; without one, what the outcome means."""
    entry = _catalogue()["reason"].get(code)
    if entry is None:
        return FALLBACK[outcome][language.startswith("zh")]
    return str(entry["zh" if language.startswith("zh") else "en"])


def ways_on(code: str, language: str) -> tuple[str, ...]:
    """What the reader can do about a code."""
    entry = _catalogue()["reason"].get(code)
    names = entry["ways"] if entry is not None else ["ask"]
    key = "zh" if language.startswith("zh") else "en"
    return tuple(str(_catalogue()["way"][str(name)][key]) for name in names) if isinstance(names, list) else ()


def explain(
    decision: Decision,
    agreements: Sequence[Agreement],
    facts: Mapping[str, object],
    history: Sequence[Mapping[str, object]],
    language: str,
) -> Explanation:
    """The decision in words. The rules come from the decision itself, so that an old one is explained as it was."""
    titles = {agreement.id: agreement.title for agreement in agreements}
    zone = _zone(facts)
    rules = tuple(
        _rule(result, titles.get(result.agreement, result.agreement), zone, language) for result in decision.rules
    )
    breached = [code for code in (decision.reason, *decision.all_reasons) if code != "OK"]
    ways = tuple(dict.fromkeys(way for code in breached for way in ways_on(code, language)))
    return Explanation(
        decision.outcome, decision.reason, says(decision.reason, language, decision.outcome), rules, ways
    )


def _zone(facts: Mapping[str, object]) -> str:
    entity = facts.get("entity")
    return str(entity.get("tz", "UTC")) if isinstance(entity, Mapping) else "UTC"


def _rule(result: RuleResult, title: str, zone: str, language: str) -> RuleExplanation:
    words = _counts(result, language) or (
        result.outcome.word if result.outcome is not Outcome.ALLOW else says("OK", language)
    )
    if result.scope:
        words += f" ({_word('scope', language).format(scope=result.scope.replace('|', ', '))})"
    return RuleExplanation(
        result.agreement,
        title,
        result.version,
        result.rule,
        result.outcome,
        says(result.reason, language, result.outcome),
        words,
        result.scope,
        _resets(result, zone, language),
        result.resets if result.resets != "never" else "",
        result.counts,
    )


def _counts(result: RuleResult, language: str) -> str:
    parts = []
    if "used" in result.counts:
        parts.append(
            _word("used", language).format(
                **{name: "?" if value is None else value for name, value in result.counts.items()}
            )
        )
    if "chapters_used" in result.counts:
        parts.append(_word("chapters", language).format(**result.counts))
    if "amount" in result.counts:
        parts.append(_word("fee", language).format(**result.counts))
    return "; ".join(parts)


def _resets(result: RuleResult, zone: str, language: str) -> str:
    if result.type == "gate":
        return _word("from", language).format(at=result.resets) if result.resets else ""
    if result.type != "limit":
        return ""
    if result.resets == "never":
        return _word("never", language)
    if not result.resets:
        return _word("does_not", language) if result.window in {"request", "lifetime"} else ""
    return _word("resets", language).format(at=result.resets[:16].replace("T", " "), zone=zone)


def _word(name: str, language: str) -> str:
    return WORDS[name][language.startswith("zh")]


def ways_line(ways: Sequence[str], language: str) -> str:
    """The ways on as one line."""
    return _word("can", language).format(ways=("；" if language.startswith("zh") else ", ").join(ways))
