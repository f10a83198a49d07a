"""Tests on facts, three-valued: a test holds, fails, or cannot be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from drm.facts.durations import Duration
from drm.facts.reading import FactError, Facts, as_number

OPERATORS = ("ne", "not_in", "le", "known", "same_as", "before_year_of", "age_le", "age_gt", "age_ge")
AGES = ("age_le", "age_gt", "age_ge")


class Truth(Enum):
    """The answer of a test. An unknown age is kept apart: ``when`` takes it for true, to be cautious."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    UNKNOWN_AGE = "unknown age"


@dataclass(frozen=True)
class Condition:
    """One test on one fact. ``operator`` is one of OPERATORS, "is" (equal) or "in" (one of)."""

    path: str
    operator: str
    value: object
    at: str = ""
    partial: str = "latest"

    @classmethod
    def parse(cls, path: str, written: object) -> Condition:
        """Read a test as an agreement writes it; ValueError says what is wrong."""
        if isinstance(written, list):
            if not written or any(isinstance(item, list | dict) for item in written):
                raise ValueError("a list of plain values is needed")
            return cls(path, "in", tuple(written))
        if not isinstance(written, dict):
            return cls(path, "is", written)
        found = [name for name in written if name in OPERATORS]
        if len(found) != 1:
            raise ValueError(f"exactly one of {', '.join(OPERATORS)} is needed")
        operator = found[0]
        extra = (
            set(written)
            - {operator}
            - ({"at", "partial"} if operator in AGES else {"partial"} if operator == "before_year_of" else set())
        )
        if extra:
            raise ValueError(f"must not have the key {sorted(extra)[0]!r}; leave it out")
        return cls(path, operator, _operand(operator, written[operator]), *_age_options(operator, written))

    def check(self, facts: Facts, absent_differs: bool = True) -> Truth:
        """Whether the test holds. ``absent_differs`` is false in ``unless``: no exemption on a guess."""
        value = facts.get(self.path)
        if self.operator == "known":
            return _truth((value is not None) == self.value)
        if self.operator in AGES or self.operator == "before_year_of":
            return self._age(facts)
        if self.operator in {"ne", "not_in"}:
            if value is None:
                return _truth(absent_differs)
            values = self.value if isinstance(self.value, tuple) else (self.value,)
            return _truth(not any(equal(value, other) for other in values))
        if value is None:
            return Truth.UNKNOWN
        if self.operator == "same_as":
            other = facts.get(str(self.value))
            return Truth.UNKNOWN if other is None else _truth(equal(value, other))
        if self.operator == "le":
            number, most = as_number(value), as_number(self.value)
            if number is None or most is None:
                if facts.strict:
                    raise FactError(f"{self.path} = {value!r} is no number")
                return Truth.UNKNOWN
            return _truth(number <= most)
        values = self.value if self.operator == "in" and isinstance(self.value, tuple) else (self.value,)
        return _truth(any(equal(value, other) for other in values))

    def _age(self, facts: Facts) -> Truth:
        day = facts.day(self.path, self.partial)
        instant = facts.instant(self.at or str(self.value))
        if day is None or instant is None:
            return Truth.UNKNOWN_AGE
        today = instant.astimezone(facts.zone).date()
        if self.operator == "before_year_of":
            return _truth(day.year < today.year)
        assert isinstance(self.value, Duration)
        edge = self.value.date_before(today)
        if self.operator == "age_le":
            return _truth(day >= edge)
        return _truth(day < edge if self.operator == "age_gt" else day <= edge)

    def holds_from(self, facts: Facts) -> date | None:
        """For an age test that fails because the work is too young: the first local date on which it holds."""
        day = facts.day(self.path, self.partial)
        if day is None:
            return None
        if self.operator == "before_year_of":
            return date(day.year + 1, 1, 1)
        if self.operator in {"age_gt", "age_ge"} and isinstance(self.value, Duration):
            first = self.value.date_after(day)
            if self.value.date_before(first) < day or (
                self.operator == "age_gt" and self.value.date_before(first) <= day
            ):
                first += timedelta(days=1)
            return first
        return None


def _operand(operator: str, value: object) -> object:
    if operator in AGES:
        return Duration.parse(value, hours=False)
    if operator == "not_in":
        if not isinstance(value, list) or not value:
            raise ValueError("not_in needs a list that is not empty")
        return tuple(value)
    if operator == "known" and not isinstance(value, bool):
        raise ValueError("known must be true or false")
    if operator in {"same_as", "before_year_of"} and not isinstance(value, str):
        raise ValueError(f"{operator} must name a fact, in quotation marks")
    if operator == "le" and as_number(value) is None:
        raise ValueError("le needs a number")
    return value


def _age_options(operator: str, written: Mapping[str, object]) -> tuple[str, str]:
    at, partial = written.get("at", ""), written.get("partial", "latest")
    if operator in AGES and (not isinstance(at, str) or not at):
        raise ValueError("an age test needs 'at', the fact that holds its day")
    if partial not in {"latest", "earliest"}:
        raise ValueError("partial must be latest or earliest")
    return str(at), str(partial)


def equal(one: object, other: object) -> bool:
    """Equality of plain values: a list equals nothing, true is not 1, numbers compare as numbers."""
    if isinstance(one, list | tuple | Mapping) or isinstance(other, list | tuple | Mapping):
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return as_number(one) == as_number(other)
    return type(one) is type(other) and one == other


def _truth(value: bool) -> Truth:
    return Truth.YES if value else Truth.NO


def all_hold(conditions: tuple[Condition, ...], facts: Facts) -> bool:
    """``when``: unknown is false, an unknown age is true."""
    return all(condition.check(facts) in {Truth.YES, Truth.UNKNOWN_AGE} for condition in conditions)


def exempts(conditions: tuple[Condition, ...], facts: Facts) -> bool:
    """One table of ``unless``: every test must surely hold."""
    return all(condition.check(facts, absent_differs=False) is Truth.YES for condition in conditions)
