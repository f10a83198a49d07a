"""Names of downloaded files, in any script and safe on any system."""

from __future__ import annotations

import functools
import re
import unicodedata
from urllib.parse import quote

from delivery.citation import Citation

LONGEST = 100
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def safe_name(text: str, longest: int = LONGEST) -> str:
    """Text as a file name without suffix: no separators, controls, bidi marks or reserved names. May be empty."""
    text = unicodedata.normalize("NFC", text)
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" or c in " -_.,()&+'\u2019" else " " for c in text)
    name = " ".join(kept.split()).strip(" .")[:longest].strip(" .")
    return "" if RESERVED.fullmatch(name) else name


def download_name(citation: Citation, delivery: str) -> str:
    """The file name of a copy: title, delivery number, .pdf."""
    title = safe_name(citation.title or citation.chapter or citation.container, LONGEST - len(delivery) - 1)
    return f"{title} {delivery}.pdf" if title else f"{delivery}.pdf"


@functools.lru_cache(maxsize=1024)
def content_disposition(name: str, inline: bool = False) -> str:
    """The header's value (RFC 6266, RFC 8187): an ASCII fallback and the real name. No line break can get in."""
    kind = "inline" if inline else "attachment"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = " ".join(re.sub(r"[^A-Za-z0-9 ._()+-]", " ", plain).split()).strip(" .")
    stem = plain.removesuffix(".pdf").strip(" .")
    fallback = f"{stem or 'document'}.pdf" if name.endswith(".pdf") else (plain or "document")
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"
