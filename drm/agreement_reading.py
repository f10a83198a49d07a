"""Reading one TOML table strictly."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TypeVar

T = TypeVar("T")
LARGEST = 1_000_000_000
"""Numbers above this are mistakes of typing."""


class AgreementError(ValueError):
    """A mistake in an agreement: file, agreement, rule and key, what is wrong and how it would be right."""

    def __init__(self, file: str, agreement: str, rule: str, key: str, problem: str) -> None:
        self.file, self.agreement, self.rule, self.key, self.problem = file, agreement, rule, key, problem
        where = ", ".join(
            part
            for part in (
                file,
                f"agreement {agreement}" if agreement else "",
                f"rule {rule}" if rule else "",
                f"key {key}" if key else "",
            )
            if part
        )
        super().__init__(f"{where}: {problem}")


def unknown(word: str, known: Iterable[str]) -> str:
    """What is said of a word that is not one of the known ones: the nearest of them, and all."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"is not known here; {hint}write one of {', '.join(words)}"


def any_of(words: tuple[str, ...]) -> str:
    """That one of these words is needed."""
    return f"must be {' or '.join(words)}" if len(words) < 3 else f"must be one of {', '.join(words)}"


class Reader:
    """One table; every access names the key it fails on."""

    def __init__(self, file: str, agreement: str, rule: str, table: dict[str, object], prefix: str = "") -> None:
        self.file, self.agreement, self.rule, self.table, self.prefix = file, agreement, rule, table, prefix

    def __contains__(self, key: str) -> bool:
        return key in self.table

    def wrong(self, key: str, problem: str) -> AgreementError:
        """The error for one key."""
        return AgreementError(self.file, self.agreement, self.rule, self.prefix + key, problem)

    def unfit(self, key: str, wanted: str) -> AgreementError:
        """The error for a key whose value ``wanted`` describes: that it is missing, when it is."""
        return self.wrong(key, wanted if key in self.table else f"is missing; it {wanted}")

    def only(self, keys: Iterable[str]) -> None:
        """Refuse unknown keys."""
        known = frozenset(keys)
        for key in self.table:
            if key not in known:
                raise self.wrong(key, unknown(key, known))

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        value = self.table.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.unfit(key, "must be a text in quotation marks, not empty")
        return value

    def one_of(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of the known words."""
        words = tuple(known)
        value = self.table.get(key, default)
        if not isinstance(value, str) or value not in words:
            said = f", not {value!r}" if key in self.table else ""
            near = difflib.get_close_matches(str(value), words, 1)
            hint = f"; did you mean {near[0]}" if near and key in self.table else ""
            raise self.unfit(key, any_of(words) + said + hint)
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false."""
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise self.unfit(key, "must be true or false")
        return value

    def whole(self, key: str, least: int = 0) -> int:
        """A whole number."""
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.unfit(key, f"must be a whole number of at least {least}")
        if value > LARGEST:
            raise self.wrong(key, f"is above {LARGEST:,}, which no library ever reaches; leave the limit out instead")
        return value

    def words(
        self, key: str, known: Iterable[str] | None = None, default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """A list of texts, of known ones where given."""
        value = self.table.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.unfit(key, 'must be a list of texts such as ["one", "two"]')
        words = None if known is None else frozenset(known)
        for item in value:
            if words is not None and item not in words:
                raise self.wrong(key, f"{item!r} {unknown(item, words)}")
        return tuple(value)

    def moment(self, key: str) -> str:
        """A date or instant, kept as ISO text; "" when absent."""
        value = self.table.get(key)
        if value is None:
            return ""
        if isinstance(value, datetime | date):
            return value.isoformat()
        try:
            datetime.fromisoformat(str(value))
        except ValueError:
            raise self.wrong(key, "must be a date such as 2026-01-31") from None
        return str(value)

    def sub(self, key: str) -> Reader:
        """A table inside; empty when absent."""
        value = self.table.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table, written as {key} = {{ ... }}")
        return Reader(self.file, self.agreement, self.rule, value, f"{self.prefix}{key}.")

    def tables(self, key: str) -> tuple[Reader, ...]:
        """A list of tables; each with an id is a rule."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, "must be a list of tables, each under double brackets or in braces")
        return tuple(
            Reader(
                self.file,
                self.agreement,
                str(item.get("id", self.rule)),
                item,
                "" if "id" in item else f"{self.prefix}{key}.",
            )
            for item in value
        )

    def parsed(self, key: str, parse: Callable[[object], T], wanted: str = "a duration such as P30D") -> T:
        """A value through a parser whose ValueError becomes ours; ``wanted`` is what the key takes."""
        if key not in self.table:
            raise self.wrong(key, f"is missing; write {wanted}")
        try:
            return parse(self.table[key])
        except ValueError as error:
            raise self.wrong(key, str(error)) from None
