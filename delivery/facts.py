"""The facts of a request as agreements ask for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from delivery.citation import Citation, fingerprints
from delivery.people import Library, Person, Standing
from delivery.sources import HeldWork
from delivery.stores import Source
from delivery.titles import title_key
from drm.fact_values import DELIVERIES, ORIGINALS, VIAS
from drm.facts.reading import normal_issn

PAGES = re.compile(r"\s*(\d{1,6})\s*(?:[-\u2013\u2014~\uff5e]\s*(\d{1,6}))?\s*")
Table = dict[str, object | None]


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
    owner: Library | None = None,
    told: object = None,
    family: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, object]:
    """The tree of facts for one route. Unknown facts are left out, never guessed.

    ``known`` holds flags of this request, ``told`` what staff said of it, by group; both win over what is derived.
    ``joint`` holds the keys of all readers who asked together: each limit is then counted for each of them.
    ``owner`` is the library that the source belongs to, ``family`` maps every ISSN of the title to its linking ISSN.
    """
    article = next(iter(fingerprints(citation)), None)
    facts: dict[str, Table] = {
        "entity": _entity(library),
        "supplier": _supplier(source, owner),
        "reader": {
            "id": reader_key,
            "registered": reader.standing is Standing.ACTIVE if reader else None,
            "group": (reader.group or None) if reader else None,
            "category": (reader.category or None) if reader else None,
        },
        "request": {
            "at": at.isoformat(),
            "fill_at": fill_at.isoformat() if fill_at else None,
            "item": citation.genre or ("book_part" if citation.isbn else "article"),
            "via": _via(source, library, owner),
            "copies": 1,
            "article": article,
            "pages": page_labels(citation.pages) if citation.pages else None,
            "chapters": [citation.chapter] if citation.chapter else None,
            "purpose": purpose or None,
            "delivery": _chosen(source, "delivery", DELIVERIES) or "electronic",
            "declarations": list(declarations),
        },
        "work": _work(citation, held, article),
        "issue": _issue(citation, held, family),
        "flags": {**_flags(source), **_table(held.flags if held else None), **_table(known)},
    }
    for group, values in _table(told).items():
        facts[group] = {**facts.get(group, {}), **_table(values)}
    tree: dict[str, object] = {
        group: {name: value for name, value in values.items() if value is not None} for group, values in facts.items()
    }
    more: dict[str, object] = {"joint_readers": list(joint)} if joint else {}
    return {**tree, **more, **({"issn_l": dict(family)} if family else {})}


def _entity(library: Library) -> Table:
    return {
        "id": library.id,
        "group": library.group or None,
        "tz": library.tz,
        "country": library.country,
        "for_profit": library.for_profit,
    }


def _table(value: object) -> Table:
    return {str(name): entry for name, entry in value.items()} if isinstance(value, Mapping) else {}


def _chosen(source: Source | None, name: str, known: tuple[str, ...]) -> str | None:
    """A setting of the source that takes one of the known words."""
    value = source.settings.get(name) if source else None
    return value if isinstance(value, str) and value in known else None


def via_of(source: Source, library: Library, owner: Library | None) -> str:
    """How a copy from this source comes to a reader of this library.

    What the source's settings say; else from his own library where the source is its own, or that of a branch which counts as
    one with it; else from another library.
    """
    return _chosen(source, "via", VIAS) or ("own_reader" if _own(source, library, owner) else "ill")


def _via(source: Source | None, library: Library, owner: Library | None) -> str | None:
    return via_of(source, library, owner) if source else None


def _own(source: Source, library: Library, owner: Library | None) -> bool:
    if source.library_id == library.id:
        return True
    return bool(owner and owner.group and owner.group == library.group)


def _supplier(source: Source | None, owner: Library | None) -> Table:
    if source is None:
        return {}
    country = source.settings.get("country") or (owner.country if owner else None)
    return {"country": country, "source": _chosen(source, "original", ORIGINALS) or "electronic"}


def _flags(source: Source | None) -> Table:
    return _table(source.settings.get("flags") if source else None)


def _work(citation: Citation, held: HeldWork | None, article: str | None) -> Table:
    """What is known of the work. Without an ISSN an article's title is its journal by name, and without that it is not known."""
    return {
        "id": (held.work_id if held and held.work_id else None) or _work_id(citation, article),
        "issn": citation.issn or None,
        "class": (held.work_class or None) if held else None,
        "genre": (held.work_genre or None) if held else None,
        "rights": (held.rights or None) if held else None,
        "pages": held.total_pages if held else None,
        "counted_pages": held.counted_pages if held else None,
        "price": (held.price or None) if held else None,
        "published": ((held.published if held else "") or citation.date or citation.year) or None,
    }


def _work_id(citation: Citation, article: str | None) -> str | None:
    if citation.isbn:
        return f"isbn:{citation.isbn}"
    if citation.issn:
        return None
    if citation.genre == "whole_work":
        return article
    # A part is never taken for the whole: a title of its own for each article would count nothing together.
    whole = citation.container or (citation.title if citation.chapter else "")
    return f"name:{title_key(whole)}" if title_key(whole) else None


def _issue(citation: Citation, held: HeldWork | None, family: Mapping[str, str]) -> Table:
    linking = family.get(normal_issn(citation.issn), "")
    journal = (f"{linking[:4]}-{linking[4:]}" if linking else citation.issn) or title_key(citation.container)
    known = [part for part in (citation.volume, citation.issue) if part]
    dated = (held.published if held else "") or citation.date or citation.year
    return {
        "id": ":".join([journal, *known]) if journal and known else None,
        "date": dated or None,
        "themed": held.themed if held else None,
        "next_published": held.next_published if held else None,
    }
