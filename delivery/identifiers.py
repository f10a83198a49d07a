"""Identifiers of works in every spelling people paste, brought to one form."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qs, unquote, urlsplit

DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+", re.IGNORECASE)
WRAPPERS = ("url", "u", "target", "q", "qurl", "link")
CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<"}


def fold(text: str) -> str:
    """Full-width letters and digits to plain ones, odd dashes and blanks to plain ones, ends trimmed (NFKC)."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[\u2010-\u2015\u2212\ufe63\uff0d]", "-", text)
    return "".join(
        " " if unicodedata.category(c) in {"Zs", "Zl", "Zp"} else c for c in text if unicodedata.category(c) != "Cf"
    ).strip()


def unwrap(text: str) -> str:
    """The address inside a mail scanner's or proxy's address (safelinks, login?url=...); others unchanged. At most three layers."""
    for _ in range(3):
        if "://" not in text:
            return text
        try:
            query = parse_qs(urlsplit(text).query)
        except ValueError:
            return text
        inner = next(
            (values[0] for name in WRAPPERS if (values := query.get(name)) and "10." in unquote(values[0])), None
        )
        if inner is None:
            return text
        text = inner
    return text


def doi(text: str) -> str:
    """The bare lower-case DOI in ``text``, "" when there is none.

    Takes 10..., doi:..., doi.org and dx.doi.org with or without scheme, proxied hosts, percent-encoding, enclosing brackets and
    trailing punctuation. Words after a further slash stay part of it: only resolving could tell, and we do not resolve.
    """
    text = unwrap(fold(text))
    if "%2f" in text.lower() or "%28" in text.lower() or re.match(r"(?i)https?://", text):
        text = unquote(text)
    found = DOI.search(text)
    if found is None:
        return ""
    value = found[0]
    if "://" in text or "doi.org" in text.lower():
        value = re.split(r"[?#]", value, maxsplit=1)[0] or value
    return _trim(value).lower()


def _trim(value: str) -> str:
    """Drop punctuation that belongs to the sentence around the DOI: a closing bracket only where it was never opened."""
    while value:
        last = value[-1]
        if last in ".,;:!?'\"\u3002\uff0c\u201d\u2019" or (
            last in CLOSERS and value.count(last) > value.count(CLOSERS[last])
        ):
            value = value[:-1]
        else:
            return value
    return value


def pmid(text: str) -> str:
    """The number of a PubMed id, "" when it is none."""
    found = re.fullmatch(
        r"(?i)(?:https?://)?(?:(?:www\.)?pubmed\.ncbi\.nlm\.nih\.gov/|(?:www\.)?ncbi\.nlm\.nih\.gov/pubmed/)?(?:info:)?(?:pmid)?[:/\s]*0*([1-9]\d{0,8})/?",
        fold(text),
    )
    return found[1] if found else ""


def issn(text: str) -> str:
    """NNNN-NNNC with a right check digit, "" otherwise (ISO 3297). Own arithmetic, as for an ISBN."""
    bare = (
        re.sub(r"(?i)^\s*(?:urn:issn:|e-?issn|p-?issn|issn)[:\s]*", "", fold(text))
        .replace("-", "")
        .replace(" ", "")
        .upper()
    )
    if not re.fullmatch(r"[0-9]{7}[0-9X]", bare):
        return ""
    if sum((8 - place) * (10 if c == "X" else int(c)) for place, c in enumerate(bare)) % 11:
        return ""
    return f"{bare[:4]}-{bare[4:]}"


def isbn(text: str) -> str:
    """Thirteen digits with a right check digit; ten are converted; "" otherwise (ISO 2108). Own arithmetic: six lines, no table."""
    bare = (
        re.sub(r"(?i)^\s*(?:urn:isbn:|e-?isbn|isbn(?:-1[03])?)[:\s]*", "", fold(text))
        .replace("-", "")
        .replace(" ", "")
        .upper()
    )
    if re.fullmatch(r"\d{9}[\dX]", bare):
        total = sum((10 - place) * (10 if c == "X" else int(c)) for place, c in enumerate(bare))
        if total % 11:
            return ""
        stem = "978" + bare[:9]
        return stem + _check13(stem)
    if re.fullmatch(r"97[89]\d{10}", bare) and _check13(bare[:12]) == bare[12]:
        return bare
    return ""


def _check13(stem: str) -> str:
    return str(-sum(int(c) * (3 if place % 2 else 1) for place, c in enumerate(stem)) % 10)
