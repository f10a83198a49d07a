"""Decisions in words: what a reason code says to a reader, used x of y, when it resets, and the ways on."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from drm.agreements import Agreement
from drm.decisions import Decision, Outcome, RuleResult
from drm.quota import MISSING

FALLBACK = {
    Outcome.ALLOW: ("This is permitted.", "可以提供。"),
    Outcome.NEEDS_DECLARATION: ("A declaration is needed first.", "须先作出使用声明。"),
    Outcome.NEEDS_FEE: ("A fee is due first.", "须先支付费用。"),
    Outcome.NEEDS_APPROVAL: ("A rights officer has to look at this first.", "须先由版权管理员审核。"),
    Outcome.DENY: ("The agreement does not permit this.", "协议不允许。"),
}
WORDS = {
    "used": ("used {used} of {limit}, this {this}", "已用{used}/{limit}，本次{this}"),
    "unknown": ("unknown", "未知"),
    "chapters": (
        "chapters {chapters_used} of {chapters_limit}, this {chapters_this}",
        "章节{chapters_used}/{chapters_limit}，本次{chapters_this}",
    ),
    "fee": ("fee {amount} {currency}", "费用{amount} {currency}"),
    "resets": ("resets {at}", "{at}重新计算"),
    "again": ("starts again {at}", "{at}重新计算"),
    "never": ("never: this request alone exceeds the limit", "不会：仅本次申请就已超出限额"),
    "does_not": ("does not reset", "不重新计算"),
    "from": ("possible from {at}", "{at}起可提供"),
    "for": ("counted for {parts}", "按{parts}计算"),
    "uncounted": ("{parts} not known, so that earlier copies cannot be counted", "{parts}未知，以前的副本无法计入"),
    "holds": ("holds", "符合"),
    "needs_declaration": ("needs a declaration", "须先作出声明"),
    "needs_fee": ("needs a fee", "须先付费"),
    "needs_approval": ("needs approval", "须经审核"),
    "deny": ("refuses", "不允许"),
    "can": ("the reader can: {ways}", "读者可以：{ways}"),
}
# What a limit counts by: as a label before the key itself, and in words for a reader.
PARTS = {
    "entity": ("library", "图书馆", "your library", "所属馆"),
    "reader": ("reader", "读者", "you", "您本人"),
    "reader_group": ("reader group", "读者组", "your group", "您所在的组"),
    "title": ("title", "题名", "this title", "该题名"),
    "issue": ("issue", "期", "this issue", "该期"),
    "article": ("article", "文章", "this article", "该文"),
    "work": ("work", "作品", "this work", "该作品"),
}


@dataclass(frozen=True)
class RuleExplanation:
    """One rule that applied, in words. ``keys`` names the very keys it counted by, ``counted_for`` says so without them.

    ``shown_keys`` are the keys that an officer sees: a reader's is none of them, the log knows him by another.
    """

    agreement: str
    title: str
    version: int
    rule: str
    outcome: Outcome
    sentence: str
    words: str
    keys: str
    counted_for: str
    resets: str
    counts: Mapping[str, object]
    shown_keys: str = ""

    @property
    def line(self) -> str:
        """The counts with the keys they were counted by, as an auditor wants them."""
        return f"{self.words} ({self.keys})" if self.keys else self.words


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
    tell: Callable[[str], str] | None = None,
) -> Explanation:
    """The decision in words. The rules come from the decision itself, so that an old one is explained as it was.

    ``tell`` spells an ISO date or instant for people; without it the date and the library's zone stand as they are.
    """
    titles = {agreement.id: agreement.title for agreement in agreements}
    own = _zone(facts)
    # A licensor's year may have a zone of its own; the reset is an instant of that zone.
    zones = {rule.id: rule.window.tz for agreement in agreements for rule in agreement.rules if rule.window.tz}
    word = "again" if tell else "resets"

    def rule(result: RuleResult) -> RuleExplanation:
        resets = _resets(result, language, word, tell or (lambda at: _plain(at, zones.get(result.rule, own))))
        return _rule(result, titles.get(result.agreement, result.agreement), resets, language)

    rules = tuple(rule(result) for result in decision.rules)
    breached = [code for code in (decision.reason, *decision.all_reasons) if code != "OK"]
    ways = tuple(dict.fromkeys(way for code in breached for way in ways_on(code, language)))
    return Explanation(
        decision.outcome, decision.reason, says(decision.reason, language, decision.outcome), rules, ways
    )


def _zone(facts: Mapping[str, object]) -> str:
    entity = facts.get("entity")
    return str(entity.get("tz", "UTC")) if isinstance(entity, Mapping) else "UTC"


def _plain(at: str, zone: str) -> str:
    return f"{at[:16].replace('T', ' ')} {zone}" if len(at) > 10 else at


def _rule(result: RuleResult, title: str, resets: str, language: str) -> RuleExplanation:
    words = _counts(result, language) or _word(
        "holds" if result.outcome is Outcome.ALLOW else result.outcome.word, language
    )
    zh = language.startswith("zh")
    parts = [(name, value) for name, value in _scope_parts(result.scope) if value != MISSING]
    known = [(PARTS[name], value) for name, value in parts if name in PARTS]
    missing = ("、" if zh else ", ").join(
        PARTS[name][zh] for name, value in _scope_parts(result.scope) if value == MISSING and name in PARTS
    )
    if missing:
        words += ("；" if zh else "; ") + _word("uncounted", language).format(parts=missing)
    keys = ("，" if zh else ", ").join(f"{labels[zh]} {value}" for labels, value in known)
    told = ("和" if zh else " and ").join(labels[2 + zh] for labels, _ in known)
    return RuleExplanation(
        result.agreement,
        title,
        result.version,
        result.rule,
        result.outcome,
        says(result.reason, language, result.outcome),
        words,
        keys,
        _word("for", language).format(parts=told) if told else "",
        resets,
        result.counts,
        ("，" if zh else ", ").join(
            labels[zh] if name == "reader" else f"{labels[zh]} {value}"
            for name, value in parts
            if (labels := PARTS.get(name))
        ),
    )


def _scope_parts(scope: str) -> list[tuple[str, str]]:
    """The parts of a scope such as ``entity=E1|title=issn:03785955``; a value may hold a bar itself."""
    found: list[tuple[str, str]] = []
    for piece in scope.split("|") if scope else ():
        name, equals, value = piece.partition("=")
        if equals and name in PARTS:
            found.append((name, _key(value)))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}|{piece}")
    return found


def _key(value: str) -> str:
    """A key as people write it: an ISSN with its hyphen, without the mark of what kind it is."""
    kind, colon, rest = value.partition(":")
    if kind == "issn" and len(rest) == 8:
        return f"{rest[:4]}-{rest[4:]}"
    return rest if colon and kind in {"issn", "work"} else value


def _counts(result: RuleResult, language: str) -> str:
    parts = []
    if "used" in result.counts:
        parts.append(
            _word("used", language).format(
                **{
                    name: _word("unknown", language) if value is None else value
                    for name, value in result.counts.items()
                }
            )
        )
    if "chapters_used" in result.counts:
        parts.append(_word("chapters", language).format(**result.counts))
    if "amount" in result.counts:
        parts.append(_word("fee", language).format(**result.counts))
    return "; ".join(parts)


def _resets(result: RuleResult, language: str, word: str, tell: Callable[[str], str]) -> str:
    if result.type == "gate":
        return _word("from", language).format(at=tell(result.resets)) if result.resets else ""
    if result.type != "limit":
        return ""
    if result.resets == "never":
        return _word("never", language)
    if not result.resets:
        return _word("does_not", language) if result.window in {"request", "lifetime"} else ""
    return _word(word, language).format(at=tell(result.resets))


def _word(name: str, language: str) -> str:
    return WORDS[name][language.startswith("zh")]


def ways_line(ways: Sequence[str], language: str) -> str:
    """The ways on as one line."""
    return _word("can", language).format(ways=("；" if language.startswith("zh") else ", ").join(ways))
