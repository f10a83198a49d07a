"""Lists of ISSNs that belong to one title: the table of the ISSN centre, and title lists after KBART."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from delivery import identifiers

CENTRE = ("issn", "issn-l")
KBART = ("print_identifier", "online_identifier")


class ListFailed(ValueError):
    """The file cannot be read, or is in neither form."""


@dataclass(frozen=True)
class Row:
    """One row: the ISSNs of one title as written in line ``number``, or what is wrong with it."""

    number: int
    issns: tuple[str, ...]
    problem: str = ""


def is_centre_table(path: Path) -> bool:
    """Whether the file is the ISSN centre's table, whose second column is the linking ISSN. ListFailed when it is neither form."""
    names = _header(path)
    if all(name in names for name in CENTRE):
        return True
    if all(name in names for name in KBART):
        return False
    raise ListFailed(
        f"{path}: the first line must name the tab-separated columns ISSN and ISSN-L, or print_identifier and online_identifier"
    )


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a list, tab-separated, one after another however long it is. ListFailed when it cannot be read."""
    columns = CENTRE if is_centre_table(path) else KBART
    names = _header(path)
    places = [names.index(column) for column in columns]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            next(lines)
            for number, cells in enumerate(lines, 2):
                if any(cell.strip() for cell in cells):
                    yield _row(
                        number, [cells[place].strip() if place < len(cells) else "" for place in places], columns
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ListFailed(f"{path}: cannot be read: {error}") from None


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [name.strip().lower() for name in file.readline(10_000).split("\t")]
    except (OSError, UnicodeDecodeError) as error:
        raise ListFailed(f"{path}: cannot be read: {error}") from None


def _row(number: int, written: list[str], columns: tuple[str, ...]) -> Row:
    found = []
    for name, text in zip(columns, written, strict=True):
        issn = identifiers.issn(text)
        if text and not issn and not (columns is KBART and identifiers.isbn(text)):
            return Row(number, (), f"{name} {text!r} is no ISSN")
        if issn:
            found.append(issn)
    if columns is CENTRE and len(found) < len(columns):
        return Row(number, (), "an ISSN and its ISSN-L are needed")
    return Row(number, tuple(found))
