"""The facts of a request as agreements ask for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from delivery.citation import Citation, fingerprints
from delivery.people import Library, Person
from delivery.sources import HeldWork
from delivery.stores import Source

PAGES = re.compile(r"\s*(\d{1,6})\s*(?:[-\u2013\u2014~\uff5e]\s*(\d{1,6}))?\s*")


def page_labels(pages: str) -> list[str] | None:
    """Pages of a citation as labels "n" or "n-m"; None when they are not plain numbers.

    A shortened end such as 211-26 is read as 211-226, as citations mean it.
    """
    labels = []
    for part in re.split(r"[,;\uff0c\uff1b\u3001]", pages):
        found = PAGES.fullmatch(part)
        if found is None:
            return None
        first, last = found[1], found[2] or found[1]
        if len(last) < len(first):
            last = first[: len(first) - len(last)] + last
        if int(last) < int(first):
            return None
        labels.append(str(int(first)) if int(first) == int(last) else f"{int(first)}-{int(last)}")
    return labels


def facts_of(
    citation: Citation,
    library: Library,
    reader_key: str,
    reader: Person | None,
    at: datetime,
    source: Source | None,
    held: HeldWork | None,
    purpose: str = "",
    declarations: tuple[str, ...] = (),
    fill_at: datetime | None = None,
    known: object = None,
    joint: Sequence[str] = (),
) -> dict[str, object]:
    """The tree of facts for one route. Unknown facts are left out, never guessed.

    ``joint`` holds the keys of all readers who asked together: each limit is then counted for each of them.
    """
    names = fingerprints(citation)
    article = next(iter(names), None)
    item = citation.genre or ("book_part" if citation.isbn else "article")
    facts: dict[str, Mapping[str, object | None]] = {
        "entity": {"id": library.id, "group": library.group or None, "tz": library.tz, "country": library.country},
        "supplier": _supplier(source),
        "reader": {
            "id": reader_key,
            "registered": True,
            "group": (reader.group or None) if reader else None,
            "category": (reader.category or None) if reader else None,
        },
        "request": {
            "at": at.isoformat(),
            "fill_at": fill_at.isoformat() if fill_at else None,
            "item": item,
            "via": "document_delivery",
            "copies": 1,
            "article": article,
            "pages": page_labels(citation.pages) if citation.pages else None,
            "chapters": [citation.chapter] if citation.chapter else None,
            "purpose": purpose or None,
            "delivery": "electronic",
            "declarations": list(declarations),
        },
        "work": _work(citation, held, article),
        "issue": _issue(citation, held),
        "flags": {**_flags(source), **(known if isinstance(known, Mapping) else {})},
    }
    tree: dict[str, object] = {
        group: {name: value for name, value in values.items() if value is not None} for group, values in facts.items()
    }
    return {**tree, "joint_readers": list(joint)} if joint else tree


def _supplier(source: Source | None) -> dict[str, object | None]:
    country = source.settings.get("country") if source else None
    return {"country": country, "source": "electronic" if source else None}


def _flags(source: Source | None) -> Mapping[str, object]:
    flags = source.settings.get("flags") if source else None
    return flags if isinstance(flags, Mapping) else {}


def _work(citation: Citation, held: HeldWork | None, article: str | None) -> dict[str, object | None]:
    book = f"isbn:{citation.isbn}" if citation.isbn else None
    return {
        "id": (held.work_id if held and held.work_id else None) or book or (None if citation.issn else article),
        "issn": citation.issn or None,
        "class": (held.work_class or None) if held else None,
        "rights": (held.rights or None) if held else None,
        "pages": held.total_pages if held else None,
        "published": ((held.published if held else "") or citation.date or citation.year) or None,
    }


def _issue(citation: Citation, held: HeldWork | None) -> dict[str, object | None]:
    journal = citation.issn or citation.container
    known = [part for part in (citation.volume, citation.issue) if part]
    dated = (held.published if held else "") or citation.date or citation.year
    return {"id": ":".join([journal, *known]) if journal and known else None, "date": dated or None}
