"""Titles brought to one form for comparing."""

from __future__ import annotations

import unicodedata


def title_key(title: str) -> str:
    """Case, accents' composition, punctuation and blanks folded away; letters and digits of any script stay."""
    text = unicodedata.normalize("NFKC", title).casefold()
    words = "".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in text).split()
    return " ".join(words)
