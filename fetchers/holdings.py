"""A holdings file: one row an item, tolerant of how such files are really saved."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from delivery import identifiers
from delivery.citation import FIELDS, Citation, fingerprints
from delivery.sources import HeldWork
from delivery.titles import title_key

COLUMNS = (
    "file", "rights", "total_pages", "counted_pages", "published", "class", "work_genre", "price", "work_id", "licence",
    "print_identifier", "online_identifier", "themed", "next_published", "flags",
)  # fmt: skip
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Holding:
    """One item: its file inside the collection, its citation and what agreements ask about it."""

    file: str
    citation: Citation
    held: HeldWork
    licence: str = ""


class Holdings:
    """All items of a collection, indexed by what citations may share with them."""

    def __init__(self, holdings: Iterable[Holding], problems: tuple[str, ...]) -> None:
        self.problems = problems
        self.items = tuple(holdings)
        self._index: dict[str, list[Holding]] = {}
        for holding in self.items:
            for key in _keys(holding.citation, holding.held.issns):
                self._index.setdefault(key, []).append(holding)

    def match(self, citation: Citation) -> Holding | None:
        """The item that surely is the cited work, else None: a wrong article is worse than none."""
        if citation.doi:
            same = self._index.get(f"doi:{citation.doi}", [])
            if same:
                return same[0] if len(same) == 1 else None
        for key in _keys(citation):
            found = [item for item in self._index.get(key, []) if _agree(citation, item.citation, item.held.issns)]
            if len({item.file for item in found}) == 1:
                return found[0]
        return None


def _keys(citation: Citation, issns: Sequence[str] = ()) -> list[str]:
    """From the surest to the weakest: identifiers, place in a journal, title. ``issns`` are further ones of the journal."""
    keys = [name for name in fingerprints(citation) if not name.startswith(("at:", "isbn:"))]
    if citation.isbn:
        keys.append(f"isbn:{citation.isbn}:{title_key(citation.chapter)}")
    first = citation.pages.replace("\u2013", "-").split("-")[0].strip()
    for journal in dict.fromkeys(filter(None, (citation.issn, *issns, title_key(citation.container)))):
        if citation.volume and first:
            keys.append(f"place:{journal}|{citation.volume}|{first}")
    if citation.title and not citation.isbn:
        keys.append(f"title:{title_key(citation.title)}")
    return keys


def _agree(asked: Citation, held: Citation, issns: Sequence[str] = ()) -> bool:
    """Whether nothing that both know speaks against it."""
    for name in ("doi", "pmid", "year", "volume", "issn", "isbn"):
        one, other = getattr(asked, name), getattr(held, name)
        if one and other and one != other and not (name == "issn" and one in issns):
            return False
    if asked.title and held.title and not asked.isbn:
        return title_key(asked.title) == title_key(held.title)
    return True


def read_holdings(path: Path) -> Holdings:
    """Read a tab-separated file with a header row. A damaged row is left out and named in ``problems``; OSError when unreadable."""
    data = path.read_bytes()[:MOST_BYTES]
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n")
    rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    names = [str(name).strip().lower() for name in rows.fieldnames or ()]
    if "file" not in names:
        return Holdings((), ("the header row has no column 'file'",))
    rows.fieldnames = names
    found, problems = [], []
    for number, row in enumerate(rows, 2):
        try:
            found.append(
                _holding({str(name): str(value or "").strip() for name, value in row.items() if name is not None})
            )
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    return Holdings(found, tuple(problems))


def _decode(data: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _holding(row: dict[str, str]) -> Holding:
    file = row.get("file", "")
    if not file or file.startswith(("/", "\\")) or ".." in Path(file.replace("\\", "/")).parts or "\0" in file:
        raise ValueError(f"{file!r} is no file inside the collection")
    citation, errors = Citation.from_fields({name: row.get(name, "") for name in FIELDS})
    if errors:
        raise ValueError(", ".join(f"{name}: {code}" for name, code in sorted(errors.items())))
    issns = _issns(row, citation)
    if issns and not citation.issn:
        citation = replace(citation, issn=issns[0])
    held = HeldWork(
        work_id=row.get("work_id", ""),
        work_class=row.get("class", ""),
        rights=row.get("rights", ""),
        total_pages=_number(row, "total_pages"),
        published=row.get("published", ""),
        work_genre=row.get("work_genre", ""),
        counted_pages=_number(row, "counted_pages"),
        price=_price(row.get("price", "")),
        themed=_said(row, "themed"),
        next_published=_said(row, "next_published"),
        issns=issns,
        flags=dict.fromkeys(re.split(r"[\s,;]+", row["flags"]), True) if row.get("flags") else {},
    )
    return Holding(file, citation, held, row.get("licence", ""))


def _issns(row: dict[str, str], citation: Citation) -> tuple[str, ...]:
    """All ISSNs of the journal: the cited one, and those that KBART calls print_identifier and online_identifier."""
    found = [citation.issn]
    for name in ("print_identifier", "online_identifier"):
        if written := row.get(name, ""):
            issn = identifiers.issn(written)
            # For a book KBART puts its ISBN here, which says nothing of a journal.
            if not issn and not identifiers.isbn(written):
                raise ValueError(f"{name} {written!r} is no ISSN")
            found.append(issn)
    return tuple(dict.fromkeys(filter(None, found)))


def _number(row: dict[str, str], name: str) -> int | None:
    written = row.get(name, "")
    if written and not written.isdecimal():
        raise ValueError(f"{name} {written!r} is no number")
    return int(written) if written else None


def _price(written: str) -> str:
    """A price as exact decimal text."""
    try:
        number = Decimal(written) if written else Decimal(0)
    except InvalidOperation:
        raise ValueError(f"price {written!r} is no number; write it such as 24.50") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"price {written!r} is no price")
    return written


def _said(row: dict[str, str], name: str) -> bool | None:
    written = row.get(name, "").lower()
    if written not in {"", "yes", "no"}:
        raise ValueError(f"{name} {written!r} is neither yes nor no")
    return written == "yes" if written else None
