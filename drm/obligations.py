"""The texts behind obligation codes, by language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from drm.agreements import Agreement


@lru_cache(maxsize=1)
def _texts() -> Mapping[str, Mapping[str, str | int]]:
    return tomllib.loads(Path(__file__).with_name("obligations.toml").read_text(encoding="utf-8"))


def obligation_texts(codes: Sequence[str], language: str) -> tuple[str, ...]:
    """The legends for codes, in a language. Codes that only steer the layout have no legend."""
    found = [_texts()[code].get(language) or _texts()[code].get("en", "") for code in codes if code in _texts()]
    return tuple(str(text) for text in found if text)


def with_versions(codes: Sequence[str]) -> dict[str, int]:
    """Each code with the version of its text, 1 where none is written: kept with a request to tell what was shown."""
    found = {code: _texts()[code].get("version", 1) for code in codes if code in _texts()}
    return {code: version if isinstance(version, int) else 1 for code, version in found.items()}


def known_codes() -> tuple[str, ...]:
    """All codes that have a text or steer the layout."""
    return tuple(_texts())


def unknown_codes(agreement: Agreement) -> tuple[str, ...]:
    """Obligation codes of an agreement that nobody has written a text for."""
    return tuple(code for codes in agreement.oblige.values() for code in codes if code not in _texts())
