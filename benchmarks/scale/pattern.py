"""One delivery that the product made, as a pattern for rows: what is its own in every text is replaced, the rest stays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Table, select

from delivery.numbers import ALPHABET
from storage.models import Base
from storage.models.columns import Bytes, Digest, PackedJson, UtcTime
from storage.models.packing import packed
from storage.repeated import mark_of

PER_DELIVERY = (
    "requests", "reader_links", "request_works", "request_tries", "deliveries", "tails",
    "usage_records", "usage_journal", "ledger", "jobs",
)  # fmt: skip
"""The tables that have rows for every delivery, parents first. The log is written by the product's own chaining."""
KINDS = ("request:created", "request:decided", "quota:reserved", "quota:settled", "copy:supplied", "mail:sent")
"""The events that are kept of each delivery: six, as the design counts them."""
YEARS = timedelta(days=4 * 365)


@dataclass(frozen=True)
class Own:
    """What is its own in one delivery. ``number`` is its place from 0; ``at`` when it was asked for and supplied."""

    number: int
    request: str
    delivery: str
    library: str
    reader: int
    at: datetime


def spelt(prefix: str, number: int) -> str:
    """A number as people read it aloud, other for each; spread over the whole range as random ones are."""
    left, letters = (number * 2_654_435_761 + 97) % len(ALPHABET) ** 8, []
    for _ in range(8):
        left, rest = divmod(left, len(ALPHABET))
        letters.append(ALPHABET[rest])
    word = "".join(letters)
    return f"{prefix}-{word[:4]}-{word[4:]}"


def key_of(reader: int, what: str) -> str:
    """A pseudonym of 32 hexadecimal digits."""
    return hashlib.md5(f"{what}{reader}".encode(), usedforsecurity=False).hexdigest()


def library_of(place: int) -> str:
    """The id of a generated library."""
    return f"library-{place:03d}"


def spread(number: int, of: int, readers: int, libraries: int, until: datetime) -> Own:
    """The own things of one of ``of`` deliveries, spread evenly over the years before ``until``, the oldest first."""
    reader = (number * 7_919) % readers
    at = (until - YEARS + YEARS * ((number + 1) / (of + 1))).replace(microsecond=number % 1_000_000)
    return Own(number, spelt("TR", number), spelt("RL", number), library_of(reader % libraries), reader, at)


Cell = Callable[[Own, Mapping[str, str]], Any]


class Pattern:
    """The rows of one delivery, with every value that is its own made anew. ``json_text`` and times are as the driver wants them."""

    def __init__(self, engine: Engine, model: Own, words: Mapping[str, str], marked: Sequence[str]) -> None:
        """``words`` are the texts of the model delivery and what stands for each: a name of ``meanings``; ``marked`` are texts kept by marks."""
        self.sqlite = engine.dialect.name == "sqlite"
        self.words, self.model = dict(words), model
        self.marked = {mark_of(text): text for text in marked}
        self.tables: list[tuple[Table, list[list[Cell]]]] = []
        with engine.connect() as connection:
            for name in PER_DELIVERY:
                table = Base.metadata.tables[name]
                rows = [dict(row._mapping) for row in connection.execute(select(table))]
                self.tables.append((table, [self._cells(table, row) for row in rows]))

    def columns(self, table: Table) -> list[str]:
        """The columns that are written: all but the numbers that the database gives."""
        return [column.name for column in table.columns if not (column.name == "id" and column.autoincrement is True)]

    def _cells(self, table: Table, row: Mapping[str, Any]) -> list[Cell]:
        return [self._cell(table.columns[name].type, row[table.columns[name].key]) for name in self.columns(table)]

    def _cell(self, kind: Any, value: Any) -> Cell:
        if isinstance(kind, UtcTime) and value is not None:
            later = value - self.model.at
            return lambda own, words: self.time(own.at + later)
        if isinstance(value, int) and value in self.marked:
            text_of = self._text(self.marked[value])
            return lambda own, words: mark_of(text_of(own, words))
        if isinstance(kind, Bytes) or value is None or isinstance(value, bool | int | bytes):
            return lambda own, words: value
        if isinstance(kind, Digest):
            kept = bytes.fromhex(value)
            return lambda own, words: kept
        if isinstance(kind, PackedJson):
            return self._packed(json.dumps(value, ensure_ascii=False))
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return self._text(text)

    def _packed(self, text: str) -> Cell:
        """A value that is kept packed: packed anew where anything of its own is in it."""
        anew = self._text(text)
        if not any(old in text for old in self.words):
            once = packed(json.loads(text))
            return lambda own, words: once
        return lambda own, words: packed(json.loads(anew(own, words)))

    def _text(self, text: str) -> Cell:
        held = [(old, meaning) for old, meaning in self.words.items() if old in text]
        if not held:
            return lambda own, words: text

        def anew(own: Own, words: Mapping[str, str]) -> str:
            out = text
            for old, meaning in held:
                out = out.replace(old, words[meaning])
            return out

        return anew

    def time(self, at: datetime) -> Any:
        """An instant as the driver wants it."""
        return at.strftime("%Y-%m-%d %H:%M:%S.%f") if self.sqlite else at

    def meanings(self, own: Own) -> dict[str, str]:
        """The texts of one delivery by what they mean."""
        day = own.at
        return {
            "request": own.request,
            "delivery": own.delivery,
            "message": own.delivery.lower(),
            "library": own.library,
            "reader": key_of(own.reader, "id"),
            "reader_key": key_of(own.reader, "key"),
            "counted": key_of(own.reader, "counted"),
            "doi": f"10.5555/made.{own.number % 50_021}",
            "title": f"{TITLES[own.number % len(TITLES)]} {own.number % 50_021}",
            "low_title": f"{TITLES[own.number % len(TITLES)]} {own.number % 50_021}".casefold(),
            "journal": f"Journal {own.number % 997} of {TITLES[own.number % len(TITLES)]}",
            "issn": f"2999-{own.number % 9_973:04d}",
            "bare_issn": f"2999{own.number % 9_973:04d}",
            "instant": day.astimezone(UTC).isoformat(),
        }

    def rows(self, own: Own) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """The rows of one delivery, each with the place of its table in ``tables``."""
        words = self.meanings(own)
        for place, (_, rows) in enumerate(self.tables):
            for cells in rows:
                yield place, tuple(cell(own, words) for cell in cells)


TITLES = (
    "Tidal asymmetry in estuaries", "Glacial retreat and rivers", "Household debt and demand", "Phonology of border dialects",
    "潮汐与泥沙的记忆", "Copper catalysts under load", "Minor courts of the north", "Sleep and shift work",
)  # fmt: skip


def ended(columns: Sequence[str], row: tuple[Any, ...], at: Any) -> tuple[Any, ...]:
    """A row of ``deliveries`` whose link has ended and whose file is gone: what nearly all of a long history are."""
    change = {"state": "expired", "ended_at": at, "blob_removed_at": at}
    return tuple(change.get(name, value) for name, value in zip(columns, row, strict=True))


def still(own: Own, **change: Any) -> Own:
    """The own things, some of them changed."""
    return replace(own, **change)
