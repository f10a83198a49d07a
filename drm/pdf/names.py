"""A reader's name as it may stand on a copy: cleaned, drawable, and never dressed up as something else."""

from __future__ import annotations

import functools
import re
import unicodedata

from drm.pdf.fonts import REGULAR, MissingGlyph, clusters

LONGEST = 64
"""Characters of a name that are shown."""

INVISIBLE = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    )
)
"""Fillers, variation selectors and the like: letters or marks by category, but nothing to see."""

LOOKALIKES = str.maketrans("АВЕКМНОРСТУХІЈЅԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSQWABEZHIKMNOPTYX")
"""Cyrillic and Greek capitals that nobody can tell from Latin ones."""

LIGATURES = str.maketrans({0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"})
"""Letters in one piece, which readers of PDF text give back apart."""

SHORTEST_IMITATED = 4


def normalise_name(text: str) -> str:
    """The name in NFC, without what cannot be seen, with single spaces, at most 64 characters.

    Dropped are controls, format and bidirectional controls, zero-width and other invisible characters, surrogates,
    private and unassigned ones. Every kind of white space, line breaks too, becomes one space. May be empty.
    """
    found = clusters(clean_text(text))
    while sum(map(len, found)) > LONGEST:
        found.pop()
    return "".join(found).strip()


def clean_text(text: str) -> str:
    """Any text for one line of print: NFC, nothing invisible, single spaces, ligatures as letters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    shown = "".join(_kept(character) for character in unicodedata.normalize("NFC", text.translate(LIGATURES)))
    return " ".join(unicodedata.normalize("NFC", shown).split())


def _kept(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} or ord(character) in INVISIBLE:
        return ""
    return character


def display_name(text: str, delivery: str) -> tuple[str, bool]:
    """What stands on the copy for this reader, and whether it is the fallback ``[reader] DELIVERY``.

    The fallback replaces a name that is empty, that our fonts cannot draw, or that passes for a delivery number or for
    the fallback itself. Nobody is refused.
    """
    name = normalise_name(text)
    if name and is_drawable(name) and not imitates(name, delivery):
        return name, False
    return f"[reader] {delivery}", True


def is_drawable(text: str) -> bool:
    """Whether the fonts have every character, its marks included."""
    if text.isascii() and text.isprintable():
        return True
    try:
        REGULAR.runs(text)
    except MissingGlyph:
        return False
    return True


def imitates(name: str, delivery: str) -> bool:
    """Whether a name holds something of the shape of this delivery number, or poses as the fallback.

    Full-width, mathematical, Cyrillic and Greek look-alikes and all dashes count as their plain twins.
    """
    plain = unicodedata.normalize("NFKC", name).upper().translate(LOOKALIKES)
    if "[READER]" in plain.replace(" ", ""):
        return True
    shape, digits = _shape(delivery)
    if shape is None:
        return False
    return any(_digits(match[0]) * 2 >= digits for match in shape.finditer(plain))


@functools.lru_cache(maxsize=64)
def _shape(delivery: str) -> tuple[re.Pattern[str] | None, int]:
    """A pattern for numbers built as this one is, whatever stands between its groups, and its count of digits."""
    groups = re.findall(r"[A-Z0-9]+", delivery.upper())
    if sum(map(len, groups)) < SHORTEST_IMITATED:
        return None, 0
    body = r"[\W_]*".join(f"[A-Z0-9]{{{len(group)}}}" for group in groups)
    return re.compile(rf"(?<![A-Z0-9])(?={body}(?![A-Z0-9])){body}"), _digits(delivery)


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
