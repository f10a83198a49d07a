"""The words of violations and their cures."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path

from admin.fsck.guarding import printable
from delivery.violations import Violation

CODES = Path(__file__).parent / "codes.toml"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Every code with its words and its cure, in each language."""
    return tomllib.loads(CODES.read_text(encoding="utf-8"))


def as_json(found: Violation, repaired: bool) -> str:
    """A violation for programs, as one line of JSON."""
    # What no encoding knows stands in it as JSON's own escape.
    return json.dumps(as_record(found, repaired), ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def as_record(found: Violation, repaired: bool) -> dict[str, object]:
    """A violation for programs."""
    words = catalogue()[found.code]
    return {
        "code": found.code,
        "ids": dict(found.ids),
        "detail": found.detail,
        "cure": words["cure"]["en"],
        "repair": found.repair.value,
        "repaired": repaired,
    }


def as_line(found: Violation, repaired: bool) -> str:
    """A violation for people: what, which, why, and what to do."""
    words = catalogue()[found.code]
    detail = f" ({found.detail})" if found.detail else ""
    cure = "repaired" if repaired else words["cure"]["en"]
    told = f"{found.code}: {found.named}: {words['en']}{detail}"
    return f"{printable(told)}\n    {printable(cure)}"
