"""The texts that need a translation: python -m tools.messages lists those without one."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def wanted() -> list[str | tuple[str, str]]:
    """Every text of the code and the templates, in the sequence in which they are met."""
    found: dict[str | tuple[str, str], None] = {}
    for package in ("delivery", "admin"):
        for each in extract_from_dir(
            ROOT / package,
            method_map=[("**.py", "python"), ("**.html", "jinja2")],
            keywords=KEYWORDS,
            options_map={"**.html": {"extensions": "jinja2.ext.i18n"}},
        ):
            message = each[2]
            found[(str(message[0]), str(message[1])) if isinstance(message, tuple) else str(message)] = None
    return list(found)


def translated(language: str) -> dict[str | tuple[str, str], str]:
    """Every text that has a translation, and the translation."""
    found: dict[str | tuple[str, str], str] = {}
    for path in sorted((ROOT / "delivery" / "translations" / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    key = (message.id[0], message.id[1]) if isinstance(message.id, list | tuple) else message.id
                    text = message.string[0] if isinstance(message.string, list | tuple) else message.string
                    if text:
                        found[key] = text
    return found


def main() -> int:
    """List what has no Chinese text."""
    missing = [message for message in wanted() if message not in translated("zh")]
    print("\n".join(str(message) for message in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
