"""What is wanted: an article, a part of a book or a whole work, as normalised words and identifiers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter

from delivery import identifiers
from delivery.titles import title_key

GENRES = ("article", "book_part", "whole_work")
LONGEST = 2_000


@dataclass(frozen=True)
class Citation:
    """All fields are text; empty means unknown. Identifiers are normalised: DOI bare and lower case, ISSN with hyphen, ISBN 13 digits."""

    genre: str = ""
    title: str = ""
    authors: str = ""
    container: str = ""
    chapter: str = ""
    year: str = ""
    date: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    doi: str = ""
    pmid: str = ""
    issn: str = ""
    isbn: str = ""
    publisher: str = ""
    edition: str = ""
    language: str = ""

    @classmethod
    def from_fields(cls, given: Mapping[str, str]) -> tuple[Citation, dict[str, str]]:
        """Normalise what was typed. Returns the citation and a code for each field that is wrong; unknown fields are left alone.

        Nothing is mandatory but something to find the work by.
        """
        values: dict[str, str] = {}
        errors: dict[str, str] = {}
        for name in FIELDS:
            raw = str(given.get(name) or "")
            if len(raw) > LONGEST:
                errors[name] = "too-long"
                continue
            if any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\r\n" for c in raw):
                errors[name] = "control-characters"
                continue
            values[name], code = _normalise(name, " ".join(raw.split()))
            if code:
                errors[name] = code
        citation = cls(**{name: value for name, value in values.items() if name not in errors})
        if not errors and not citation.can_be_found:
            errors["title"] = "nothing-to-find-by"
        return citation, errors

    @property
    def can_be_found(self) -> bool:
        """Whether there is something to find the work by."""
        named = bool(self.title or self.chapter or self.doi or self.pmid or self.isbn)
        placed = bool(
            (self.container or self.issn) and (self.volume or self.year or self.date) and (self.pages or self.issue)
        )
        return named or placed

    def to_dict(self) -> dict[str, str]:
        """All fields by name."""
        return dict(zip(FIELDS, _all_of(self), strict=True))

    @classmethod
    def from_dict(cls, content: Mapping[str, object]) -> Citation:
        """The citation that ``to_dict`` gave; unknown keys are ignored."""
        return cls(**{name: str(content.get(name) or "") for name in FIELDS})


FIELDS = tuple(field.name for field in fields(Citation))
_all_of = attrgetter(*FIELDS)


def _normalise(name: str, text: str) -> tuple[str, str]:
    """The normalised value of one field, and the code of what is wrong with it."""
    if not text:
        return "", ""
    match name:
        case "doi":
            value = identifiers.doi(text)
            return value, "" if value else "bad-doi"
        case "pmid":
            value = identifiers.pmid(text)
            return value, "" if value else "bad-pmid"
        case "issn":
            value = identifiers.issn(text)
            return value, "" if value else "bad-issn"
        case "isbn":
            value = identifiers.isbn(text)
            return value, "" if value else "bad-isbn"
        case "year":
            found = re.search(r"(?<!\d)(1[4-9]\d\d|20\d\d)(?!\d)", identifiers.fold(text))
            return (found[1], "") if found else (text, "bad-year")
        case "genre":
            return (text, "") if text in GENRES else (text, "bad-genre")
        case _:
            return unicodedata.normalize("NFC", text), ""


def fingerprints(citation: Citation) -> tuple[str, ...]:
    """Stable names of the work, the surest first: equal names mean the same work."""
    names = []
    part = citation.chapter or (citation.pages if citation.isbn else "")
    if citation.doi:
        names.append(f"doi:{citation.doi}")
    if citation.pmid:
        names.append(f"pmid:{citation.pmid}")
    if citation.isbn:
        names.append(f"isbn:{citation.isbn}:{title_key(part)}")
    key = title_key(citation.title)
    year = citation.year or citation.date[:4]
    if key and year and not citation.isbn:
        names.append(f"ty:{key[:300]}|{year}")
    if not names:
        journal = citation.issn or title_key(citation.container)
        place = "|".join((citation.volume, citation.issue, title_key(citation.pages)))
        names.append(f"at:{journal}|{year}|{place}|{key[:200]}")
    return tuple(names)


def work_keys(citation: Citation) -> frozenset[str]:
    """The fingerprints as a set."""
    return frozenset(fingerprints(citation))


def same_work(first: Citation, second: Citation) -> bool:
    """Whether two citations mean one work: an identifier in common, or the same title and year; never with two different DOIs."""
    if first.doi and second.doi:
        return first.doi == second.doi
    return bool(work_keys(first) & work_keys(second))
