"""Checks a copy in a fresh child process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def verify(
    out: Path, expect: Expectation | None = None, limits: Limits = Limits(), password: str | None = None
) -> Verdict:
    """Check a copy: it opens without repair, has its pages, carries its stamp on each, does nothing active.

    NoVerdict where the machine did not come to a verdict.
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
            found = run_limited(
                "prove", {"path": str(plain.absolute()), "expect": wanted, "password": password}, limits
            )
    except NoVerdict:
        raise
    except PdfRefused as refusal:
        return Verdict(False, refusal.code, refusal.text)
    return Verdict(True, "", "", str(found["delivery"]), int(found["pages"]), bool(found["encrypted"]))
