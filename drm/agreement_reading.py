"""Reading one TOML table strictly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TypeVar

T = TypeVar("T")
LARGEST = 1_000_000_000
"""Numbers above this are mistakes of typing."""


class AgreementError(ValueError):
    """A mistake in an agreement: file, agreement, rule and key, and what is wrong."""

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


class Reader:
    """One table; every access names the key it fails on."""

    def __init__(self, file: str, agreement: str, rule: str, table: dict[str, object], prefix: str = "") -> None:
        self.file, self.agreement, self.rule, self.table, self.prefix = file, agreement, rule, table, prefix

    def __contains__(self, key: str) -> bool:
        return key in self.table

    def wrong(self, key: str, problem: str) -> AgreementError:
        """The error for one key."""
        return AgreementError(self.file, self.agreement, self.rule, self.prefix + key, problem)

    def only(self, keys: Iterable[str]) -> None:
        """Refuse unknown keys."""
        for key in self.table:
            if key not in frozenset(keys):
                raise self.wrong(key, "is not known here")

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        value = self.table.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.wrong(key, "must be a text" if key in self.table else "is missing")
        return value

    def one_of(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of the known words."""
        words = tuple(known)
        value = self.table.get(key, default)
        if not isinstance(value, str) or value not in words:
            wanted = f"must be {' or '.join(words)}" if len(words) < 3 else f"must be one of {', '.join(words)}"
            raise self.wrong(key, wanted if key in self.table else "is missing")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """True or false."""
        value = self.table.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def whole(self, key: str, least: int = 0) -> int:
        """A whole number."""
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(key, f"must be a whole number of at least {least}" if key in self.table else "is missing")
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
            raise self.wrong(key, "must be a list of texts" if key in self.table else "is missing")
        for item in value:
            if known is not None and item not in set(known):
                raise self.wrong(key, f"{item!r} is not known here")
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
            raise self.wrong(key, "must be a date") from None
        return str(value)

    def sub(self, key: str) -> Reader:
        """A table inside; empty when absent."""
        value = self.table.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return Reader(self.file, self.agreement, self.rule, value, f"{self.prefix}{key}.")

    def tables(self, key: str) -> tuple[Reader, ...]:
        """A list of tables; each with an id is a rule."""
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, "must be a list of tables")
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

    def parsed(self, key: str, parse: Callable[[object], T]) -> T:
        """A value through a parser whose ValueError becomes ours."""
        if key not in self.table:
            raise self.wrong(key, "is missing")
        try:
            return parse(self.table[key])
        except ValueError as error:
            raise self.wrong(key, str(error)) from None
