"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, DateTime, Integer, LargeBinary, MetaData, String, Text, cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from storage.models.packing import packed, unpacked

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


DIGITS, HALF = re.compile(r"[0-9a-f]{64}"), 32
"""A digest as digits, and how many bytes say the same."""

MOST_KEY, MOST_PART = 2_400, 200
"""Bytes of a text that stands in an index, where PostgreSQL takes 2,704 of a whole row, and of each part of one that had more."""
PART = re.compile(r"\|(?=(?:entity|title|work|issue|article|reader|reader_group)=)")
"""Between the parts of a scope."""


class Base(DeclarativeBase):
    """All tables, with constraint names that do not depend on the database."""

    metadata = MetaData(naming_convention=NAMING)


class UtcTime(TypeDecorator[datetime]):
    """An aware instant in UTC. SQLite keeps it without a zone, PostgreSQL with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times: they are always a mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Bytes(LargeBinary):
    """Bytes, also where somebody has put text in their place: SQLite lets him, and the log's check must name the event."""

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What stands there is read as bytes: the driver would not even hand out text that is no UTF-8."""
        return cast(column, LargeBinary())


class Digest(TypeDecorator[str]):
    """A SHA-256, 64 digits to the program and 32 bytes in the database. Any other text is kept as its own bytes, an empty one too."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Bytes; on SQLite in columns that always said text, and keep bytes as well."""
        return dialect.type_descriptor(String(64) if dialect.name == "sqlite" else LargeBinary())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Half as many bytes. A text that would be read as a digest is refused."""
        if value is None or DIGITS.fullmatch(value):
            return None if value is None else bytes.fromhex(value)
        kept = value.encode()
        if len(kept) == HALF:
            raise ValueError("this text cannot be told from a digest")
        return kept

    def process_result_value(self, value: bytes | str | None, dialect: Dialect) -> str | None:
        """The digits again; text is taken as it stands, wherever somebody has put it."""
        if value is None or isinstance(value, str):
            return value
        return bytes(value).hex() if len(value) == HALF else bytes(value).decode("utf-8", "replace")


class KeyText(TypeDecorator[str]):
    """A text of any length that is found along an index. A very long one is kept, and looked for, as its beginnings and digests.

    ``was`` is the width that SQLite's column goes on naming; it heeds none.
    """

    impl = Text
    cache_ok = True

    def __init__(self, was: int = 0) -> None:
        super().__init__()
        self.was = was

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text without a width."""
        return String(self.was) if self.was and dialect.name == "sqlite" else self.impl_instance

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text, or what stands for it."""
        return None if value is None else bounded(value)


def bounded(text: str) -> str:
    """A key as it is kept: itself up to 2,400 bytes, else what begins alike and is the same for the same key alone.

    A scope keeps its parts, so that the parts which name a reader can still be found in it.
    """
    if len(text.encode()) <= MOST_KEY:
        return text
    return _cut("|".join(_cut(part, MOST_PART) for part in PART.split(text)), MOST_KEY)


def _cut(text: str, most: int) -> str:
    written = text.encode()
    if len(written) <= most:
        return text
    digest = hashlib.sha256(written).hexdigest()
    return f"{written[: most - len(digest) - 1].decode(errors='ignore')}#{digest}"


def may_be_cut(text: str) -> bool:
    """Whether a kept key may stand for a longer one."""
    return text[-65:-64] == "#"


def widened(width: int, was: int) -> String:
    """A text that became wider on PostgreSQL. SQLite heeds no width, and its table need not be made anew for one."""
    return String(width).with_variant(String(was), "sqlite")


class _AsItIs(UserDefinedType[Any]):
    """A column that SQLite was told holds JSON. It keeps bytes there as well, and no table need be made anew for them."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The name that the column always had."""
        return "JSON"


class PackedJson(TypeDecorator[Any]):
    """A JSON value that SQL only hands on: kept packed, read packed or plain. What statements look into is a column of its own."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Bytes; on SQLite in a column of the old name."""
        return dialect.type_descriptor(_AsItIs() if dialect.name == "sqlite" else LargeBinary())

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> bytes | None:
        """None is no value."""
        return None if value is None else packed(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any | None:
        """The value again."""
        return None if value is None else unpacked(value)


class AsKept(PackedJson):
    """The bytes of a packed value as they stand, for whoever wants its text and not what it says."""

    cache_ok = True

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any | None:
        """What stands there."""
        return value


Json = JSON().with_variant(JSONB(), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")
