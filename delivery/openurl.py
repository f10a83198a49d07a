"""OpenURL 0.1 and 1.0 (ANSI/NISO Z39.88) in and out, tolerant of what real link resolvers send."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from delivery import identifiers
from delivery.citation import LONGEST, Citation

LONGEST_ADDRESS = 16_384
GENRES = {
    "article": "article",
    "proceeding": "article",
    "conference": "whole_work",
    "preprint": "article",
    "journal": "whole_work",
    "issue": "whole_work",
    "book": "whole_work",
    "bookitem": "book_part",
    "dissertation": "whole_work",
    "report": "whole_work",
}
CONTAINER = ("jtitle", "title", "stitle", "btitle")
TAG = re.compile(r"<[^<>]{0,200}>")


@dataclass(frozen=True)
class ParsedOpenUrl:
    """What an address asks for. ``problems`` names fields that could not be used; nothing of them is guessed."""

    citation: Citation
    referrer: str
    problems: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]


def parse_openurl(text: str) -> ParsedOpenUrl:
    """Read an OpenURL, whole or only its query. Never raises, whatever the text holds."""
    pairs = tuple(_pairs(text[:LONGEST_ADDRESS]))
    problems = ["too-long"] if len(text) > LONGEST_ADDRESS else []
    first: dict[str, str] = {}
    ids: list[str] = []
    for name, value in pairs:
        key = name.lower().removeprefix("rft.")
        if key in {"rft_id", "id", "pmid", "doi", "pid"} and value:
            ids.append(f"{key}:{value}" if key in {"pmid", "doi"} else value)
        elif value and key not in first:
            first[key] = value
    given = _fields(first)
    given.update({name: value for name, value in _identifiers(ids, given).items() if value})
    citation, errors = Citation.from_fields({name: value[:LONGEST] for name, value in given.items()})
    problems += [f"{field}:{code}" for field, code in sorted(errors.items())]
    referrer = first.get("rfr_id", "") or first.get("sid", "")
    return ParsedOpenUrl(citation, referrer.removeprefix("info:sid/")[:200], tuple(problems), pairs)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    text = html.unescape(text.strip())
    query = text.split("?", 1)[1] if "?" in text and "=" in text.split("?", 1)[1] else text
    query = query.split("#", 1)[0]
    if "%3D" in query.upper() and "=" not in query:
        query = unquote_to_bytes(query).decode("utf-8", "replace")
    raw = [part.partition("=") for part in re.split(r"[&;](?=[A-Za-z_.]{1,30}=)|&", query) if "=" in part]
    values = [(name, unquote_to_bytes(value.replace("+", " "))) for name, _, value in raw]
    encoding = _encoding(values)
    for name, value in values:
        decoded = value.decode(encoding, "replace")
        if re.search(r"%[0-9A-Fa-f]{2}", decoded):
            # Encoded twice: resolvers behind proxies do that. A lone % that is none stays.
            decoded = unquote_to_bytes(decoded).decode(encoding, "replace")
        yield name.strip(), " ".join(TAG.sub(" ", html.unescape(decoded)).split())


def _encoding(values: list[tuple[str, bytes]]) -> str:
    """The charset: as declared (ctx_enc), else UTF-8, else GB18030 where it fits, else Latin-1."""
    declared = next(
        (value.decode("ascii", "replace").rpartition(":")[2] for name, value in values if name == "ctx_enc"), ""
    )
    joined = b"".join(value for _, value in values)
    for candidate in (declared, "utf-8", "gb18030"):
        try:
            decoded = joined.decode(candidate)
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
        # A few Latin-1 letters also decode as GB18030, into rare characters between ASCII letters.
        if candidate != "gb18030" or not re.search(r"[A-Za-z][\u3400-\U0002ffff][A-Za-z]", decoded):
            return candidate
    return "latin-1"


def _fields(first: dict[str, str]) -> dict[str, str]:
    genre = GENRES.get(first.get("genre", "").lower(), "")
    book = genre in {"book_part", "whole_work"} or "isbn" in first or "btitle" in first
    article = first.get("atitle", "")
    container = next((first[name] for name in CONTAINER if first.get(name)), "")
    given = {
        "genre": genre,
        "container": container if article or not book else "",
        "title": article or (container if book else ""),
        "authors": _authors(first),
        "volume": first.get("volume", ""),
        "issue": first.get("issue", ""),
        "pages": _pages(first),
        "publisher": first.get("pub", ""),
        "edition": first.get("edition", ""),
        "language": first.get("language", ""),
        "date": first.get("date", "")[:10] if len(first.get("date", "")) > 4 else "",
        "year": first.get("date", "") or first.get("year", ""),
        "issn": first.get("issn", "") or first.get("eissn", ""),
        "isbn": first.get("isbn", "") or first.get("eisbn", ""),
    }
    if genre == "book_part":
        given["chapter"] = article
    if not re.search(r"\d{4}", given["year"]):
        given["year"] = ""
    return given


def _authors(first: dict[str, str]) -> str:
    if first.get("au"):
        return first["au"]
    last = first.get("aulast", "")
    rest = first.get("aufirst", "") or first.get("auinit", "") or first.get("auinit1", "")
    return ", ".join(part for part in (last, rest) if part) or first.get("aucorp", "")


def _pages(first: dict[str, str]) -> str:
    if first.get("pages"):
        return first["pages"]
    start, end = first.get("spage", ""), first.get("epage", "")
    return f"{start}-{end}" if start and end and start != end else start or first.get("artnum", "")


def _identifiers(ids: list[str], given: dict[str, str]) -> dict[str, str]:
    found = {"doi": "", "pmid": ""}
    for value in ids:
        lowered = value.lower()
        if "pmid" in lowered:
            found["pmid"] = found["pmid"] or identifiers.pmid(re.sub(r"(?i)^.*pmid[:/]", "", value))
        elif lowered.startswith(("urn:issn:", "urn:isbn:")):
            name = lowered[4:8]
            given[name] = given.get(name) or value[9:]
        else:
            found["doi"] = found["doi"] or identifiers.doi(value)
    return found


def to_openurl(citation: Citation, base: str) -> str:
    """The citation as an OpenURL 1.0 (KEV) on a resolver's address."""
    book = bool(citation.isbn) or citation.genre in {"book_part", "whole_work"}
    pairs = [
        ("url_ver", "Z39.88-2004"),
        ("ctx_ver", "Z39.88-2004"),
        ("rft_val_fmt", f"info:ofi/fmt:kev:mtx:{'book' if book else 'journal'}"),
        (
            "rft.genre",
            {"article": "article", "book_part": "bookitem", "whole_work": "book"}.get(citation.genre, "unknown"),
        ),
        ("rft.atitle", citation.chapter if book else citation.title),
        ("rft.btitle" if book else "rft.jtitle", citation.title if book else citation.container),
        ("rft.au", citation.authors),
        ("rft.date", citation.date or citation.year),
        ("rft.volume", citation.volume),
        ("rft.issue", citation.issue),
        ("rft.pages", citation.pages),
        ("rft.issn", citation.issn),
        ("rft.isbn", citation.isbn),
        ("rft.pub", citation.publisher),
        ("rft_id", f"info:doi/{citation.doi}" if citation.doi else ""),
        ("rft_id", f"info:pmid/{citation.pmid}" if citation.pmid else ""),
    ]
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs if value)
    return f"{base}{'&' if '?' in base else '?'}{query}"
