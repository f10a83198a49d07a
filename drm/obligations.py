"""The texts behind obligation codes, by language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from drm.agreements import Agreement


@lru_cache(maxsize=1)
def _texts() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(Path(__file__).with_name("obligations.toml").read_text(encoding="utf-8"))


def obligation_texts(codes: Sequence[str], language: str) -> tuple[str, ...]:
    """The legends for codes, in a language. Codes that only steer the layout have no legend."""
    found = [_texts()[code].get(language) or _texts()[code].get("en", "") for code in codes if code in _texts()]
    return tuple(text for text in found if text)


def unknown_codes(agreement: Agreement) -> tuple[str, ...]:
    """Obligation codes of an agreement that nobody has written a text for."""
    return tuple(code for codes in agreement.oblige.values() for code in codes if code not in _texts())
