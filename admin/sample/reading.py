"""Reads the sample consortium's description."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class SampleConsortium:
    """Libraries, people and sources as plain tables, and the agreements' texts by file name."""

    libraries: tuple[dict[str, Any], ...]
    people: tuple[dict[str, Any], ...]
    sources: tuple[dict[str, Any], ...]
    agreements: dict[str, str]


def load_sample() -> SampleConsortium:
    """The sample as it is shipped."""
    content = tomllib.loads((FOLDER / "consortium.toml").read_text(encoding="utf-8"))
    agreements = {
        path.stem: path.read_text(encoding="utf-8") for path in sorted((FOLDER / "agreements").glob("*.toml"))
    }
    sources = tuple({"settings": {}, **source} for source in content["source"])
    return SampleConsortium(tuple(content["library"]), tuple(content["person"]), sources, agreements)
