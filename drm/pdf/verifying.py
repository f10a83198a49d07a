"""Checks a copy in a fresh child process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drm.pdf.plain_paths import readable
from drm.pdf.sandbox import run_limited
from drm.pdf.values import Limits, NoVerdict, PdfRefused


@dataclass(frozen=True)
class Expectation:
    """What a copy must be: pages with the cover, its delivery, the name on it, whether it is encrypted."""

    pages: int
    delivery: str
    name: str
    encrypted: bool


@dataclass(frozen=True)
class Verdict:
    """Good, or the code and text of the first check that failed."""

    good: bool
    code: str = ""
    text: str = ""
    delivery: str = ""
    pages: int = 0
    encrypted: bool = False


@dataclass(frozen=True)
class Origin:
    """The file that a copy was made of, and the password that opens it."""

    path: Path
    password: str | None = None


def verify(
    out: Path,
    expect: Expectation | None = None,
    limits: Limits = Limits(),
    password: str | None = None,
    origin: Origin | None = None,
) -> Verdict:
    """Check a copy: it opens without repair, has its pages, carries its stamp on each, does nothing active.

    With its ``origin`` its first pages must look like those, but for the stamp. NoVerdict where the machine did not come to a verdict.
    """
    wanted = None
    if expect is not None:
        wanted = {
            "pages": expect.pages,
            "delivery": expect.delivery,
            "names": [expect.name],
            "encrypted": expect.encrypted,
        }
    try:
        with readable(out) as plain:
            arguments: dict[str, Any] = {"path": str(plain.absolute()), "expect": wanted, "password": password}
            if origin is not None:
                arguments |= {"source": str(origin.path.absolute()), "source_password": origin.password}
            found = run_limited("prove", arguments, limits)
    except NoVerdict:
        raise
    except PdfRefused as refusal:
        return Verdict(False, refusal.code, refusal.text)
    return Verdict(True, "", "", str(found["delivery"]), int(found["pages"]), bool(found["encrypted"]))
