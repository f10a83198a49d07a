"""A reader's name as it may stand on a copy: cleaned, drawable, and never dressed up as something else."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

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

LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХІЈЅԚԜӀЗБΑΒΕΖΗΙΚΜΝΟΡΤΥΧƦʟƖØĐŁØÐ〇○一ーㅡ丨", "ABEKMHOPCTYXIJSQWI36ABEZHIKMNOPTYXRLLODLOD00---I"
)
"""Capitals of other alphabets, and signs of other scripts, that look like Latin letters, digits or dashes."""

SEPARATOR = " · "
"""Stands between the fields of a footer."""

LIGATURES = str.maketrans({0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl"})
"""Letters in one piece, which readers of PDF text give back apart."""

SHORTEST_IMITATED = 4
GROUP = re.compile("[A-Z0-9]+")
NO_DIGITS = re.compile(r"[A-Za-z .,'-]*")


def normalise_name(text: str) -> str:
    """The name in NFC, without what cannot be seen, with single spaces, at most 64 characters.

    Dropped are controls, format and bidirectional controls, zero-width and other invisible characters, surrogates,
    private and unassigned ones. Every kind of white space, line breaks too, becomes one space. May be empty.
    """
    cleaned = clean_text(text)
    if cleaned.isascii():
        return cleaned[:LONGEST].strip()
    found = clusters(cleaned)
    while sum(map(len, found)) > LONGEST:
        found.pop()
    return "".join(found).strip()


def clean_text(text: str) -> str:
    """Any text for one line of print: NFC, nothing invisible, single spaces, ligatures as letters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    shown = "".join(_kept(character) for character in unicodedata.normalize("NFC", text.translate(LIGATURES)))
    return " ".join(unicodedata.normalize("NFC", shown).split())


@functools.lru_cache(maxsize=65536)
def _kept(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} or ord(character) in INVISIBLE:
        return ""
    return character


def display_name(text: str, delivery: str) -> tuple[str, bool]:
    """What stands on the copy for this reader, and whether it is the fallback ``[reader] DELIVERY``.

    The fallback replaces a name that is empty, that our fonts cannot draw, or that passes for a delivery number, for the
    fields of a footer or for the fallback itself. Nobody is refused.
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
    """Whether a name can be taken for a delivery number, for the fallback, or for more than one field of a footer.

    Compared is what is left when look-alikes are folded. A number is imitated by text of its shape, its groups of letters
    and digits in their lengths with anything or nothing between them, that has at least half as many digits or begins
    with the same group; and by text that is such a number when everything between is taken out.
    """
    plain = folded(name)
    if SEPARATOR in name or ("[" in plain and "[READER]" in plain.replace(" ", "")):
        return True
    first = GROUP.search(delivery.upper())
    if first is None or (first[0] not in plain and not _digits(plain)):
        return False  # what passes for a number has a digit, or the number's first group as it stands: few names have
    shape = _shape(delivery)
    if shape is None:
        return False
    enough = max(1, -(-shape.digits // 2))  # or a surname of ten letters would pass for a number without digits
    for match in shape.pattern.finditer(plain):
        if _digits(match[0]) >= enough or match[0].startswith(shape.first):
            return True
    together = re.sub(r"[\W_]", "", plain)
    return any(_digits(match[1]) >= enough for match in shape.together.finditer(together))


def folded(text: str) -> str:
    """A text as the eye takes it: capitals without accents, in Latin letters and ASCII digits where they look like these."""
    if text.isascii():
        return text.upper()
    parts = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in parts if not unicodedata.combining(character))
    plain = bare.upper().translate(LOOKALIKES)
    if not any(map(str.isdigit, plain)):
        return plain
    return "".join(str(unicodedata.digit(character, character)) for character in plain)


@dataclass(frozen=True)
class _Shape:
    """How a delivery number is built, to find others that are built so."""

    pattern: re.Pattern[str]
    together: re.Pattern[str]
    first: str
    digits: int


@functools.lru_cache(maxsize=4096)
def _shape(delivery: str) -> _Shape | None:
    groups = GROUP.findall(delivery.upper())
    length = sum(map(len, groups))
    if length < SHORTEST_IMITATED:
        return None
    return _Shape(*_patterns(tuple(map(len, groups)), groups[0]), groups[0], _digits(delivery))


@functools.lru_cache(maxsize=256)
def _patterns(lengths: tuple[int, ...], first: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    body = r"[\W_]*".join(f"[A-Z0-9]{{{length}}}" for length in lengths)
    whole = re.compile(rf"(?<![A-Z0-9])(?={body}(?![A-Z0-9])){body}")
    return whole, re.compile(f"(?=({re.escape(first)}[A-Z0-9]{{{sum(lengths[1:])}}}))")


def _digits(text: str) -> int:
    return 0 if NO_DIGITS.fullmatch(text) else sum(map(str.isdigit, text))
