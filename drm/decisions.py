"""What a decision says: its outcome, its reason, its counts, and the rules it rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Outcome(IntEnum):
    """From mild to severe; the worst outcome of a route decides."""

    ALLOW = 0
    NEEDS_DECLARATION = 1
    NEEDS_FEE = 2
    NEEDS_APPROVAL = 3
    DENY = 4

    @property
    def word(self) -> str:
        """The outcome as agreements and case files spell it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Outcome:
        """The outcome with this word; KeyError for any other."""
        return cls[word.upper()]


Counts = Mapping[str, object]


@dataclass(frozen=True)
class RuleResult:
    """How one rule that applied came out. ``scope`` is the key it counted by, ``resets`` when its count starts again ("" = never)."""

    agreement: str
    version: int
    rule: str
    type: str
    outcome: Outcome
    reason: str
    counts: Counts = field(default_factory=dict)
    scope: str = ""
    window: str = ""
    resets: str = ""


@dataclass(frozen=True)
class Decision:
    """The answer of ``decide``. Equal inputs give equal bytes of ``to_json``."""

    outcome: Outcome
    reason: str
    all_reasons: tuple[str, ...] = ()
    counts: Mapping[str, Counts] = field(default_factory=dict)
    route: int | None = None
    overridden: tuple[str, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    obligations: Mapping[str, object] = field(default_factory=dict)
    agreements: tuple[tuple[str, int], ...] = ()
    facts_hash: str = ""

    @classmethod
    def refusal(cls, reason: str) -> Decision:
        """A plain refusal that no rule stands behind."""
        return cls(Outcome.DENY, reason, (reason,))

    def to_dict(self) -> dict[str, object]:
        """All of it as plain JSON values."""
        return {
            "outcome": self.outcome.word,
            "reason": self.reason,
            "all_reasons": list(self.all_reasons),
            "counts": {rule: dict(counts) for rule, counts in self.counts.items()},
            "route": self.route,
            "overridden": list(self.overridden),
            "rules": [
                {
                    "agreement": result.agreement,
                    "version": result.version,
                    "rule": result.rule,
                    "type": result.type,
                    "outcome": result.outcome.word,
                    "reason": result.reason,
                    "counts": dict(result.counts),
                    "scope": result.scope,
                    "window": result.window,
                    "resets": result.resets,
                }
                for result in self.rules
            ],
            "obligations": dict(self.obligations),
            "agreements": [list(pair) for pair in self.agreements],
            "facts_hash": self.facts_hash,
        }

    def to_json(self) -> bytes:
        """Canonical bytes: sorted keys, UTF-8, no blanks."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_dict(cls, content: Mapping[str, object]) -> Decision:
        """The decision that ``to_dict`` gave."""
        rules = content.get("rules")
        pairs = content.get("agreements")
        counts = content.get("counts")
        route = content.get("route")
        obligations = content.get("obligations")
        return cls(
            outcome=Outcome.of(str(content["outcome"])),
            reason=str(content["reason"]),
            all_reasons=tuple(str(reason) for reason in _list(content.get("all_reasons"))),
            counts=dict(counts) if isinstance(counts, Mapping) else {},
            route=route if isinstance(route, int) else None,
            overridden=tuple(str(name) for name in _list(content.get("overridden"))),
            rules=tuple(
                RuleResult(**{**rule, "outcome": Outcome.of(str(rule["outcome"]))})
                for rule in _list(rules)
                if isinstance(rule, Mapping)
            ),
            obligations=dict(obligations) if isinstance(obligations, Mapping) else {},
            agreements=tuple((str(pair[0]), int(pair[1])) for pair in _list(pairs) if isinstance(pair, list | tuple)),
            facts_hash=str(content.get("facts_hash", "")),
        )


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
