"""Checks the licences of all installed packages against ``requirements/licences.toml``.

    python -m tools.licences

Exit code 0 when every one is allowed, 1 with a line for each that is not.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def installed() -> dict[str, str]:
    """Package name, normalised, to the licence its metadata names; the project itself is left out."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json", "--with-system"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {normalised(each["Name"]): str(each["License"]) for each in json.loads(listing)}
    found.pop("rushlight", None)
    return found


def allow_list() -> tuple[frozenset[str], Mapping[str, str]]:
    """The allowed spellings, and the packages whose licence was read by hand."""
    table = tomllib.loads((ROOT / "requirements" / "licences.toml").read_text(encoding="utf-8"))
    return frozenset(table["allowed"]), table["read"]


def locked(name: str) -> set[str]:
    """The packages of a lock file: ``runtime`` or ``dev``."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    return {normalised(each) for each in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def normalised(name: str) -> str:
    """A package name as PyPA compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def refused(licences: Mapping[str, str]) -> list[str]:
    """One line for each package whose licence nobody has allowed."""
    allowed, read = allow_list()
    return [
        f"{name}: {licence!r} is not in requirements/licences.toml"
        for name, licence in sorted(licences.items())
        if licence not in allowed and name not in read
    ]


def main() -> int:
    """Prints what is wrong, or how many packages were looked at."""
    licences = installed()
    wrong = refused(licences)
    print("\n".join(wrong) or f"The licences of {len(licences)} packages are allowed.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
