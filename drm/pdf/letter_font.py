"""Letters that code page 1252 lacks, and accented ones that a master lacks, as one small CFF font per copy.

Names of Europe and Vietnam need a letter or two beyond what is at hand. As TrueType glyphs these would take twice the room
that a whole tail may have; as Type 2 charstrings on the grid of ``plain_font`` they take 60 bytes each. Codes
are given in the order of need; glyph names say what they stand for, in half the room of a map to Unicode.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pikepdf

from drm.pdf.embedding import CODES, Embedded, embed, tag, to_unicode
from drm.pdf.plain_font import plain_font

LETTER = "NotoSans-Letters"
PATH = Path(__file__).with_name("fonts") / f"{LETTER}.json"
EMPTY: Mapping[str, int] = {}
FIRST_NAME = 391
"""The SID of the first name that a font brings along."""

NAME = b"uni%04X"
"""Glyph names that say which character they stand for (Adobe Glyph List Specification, section 2)."""


class LetterFont:
    """All letters that there are charstrings for. Glyphs are numbered from 1; measures are thousandths of an em."""

    name = LETTER
    units_per_em = 1000

    def __init__(self, path: Path = PATH) -> None:
        plain, more = plain_font(), json.loads(path.read_text(encoding="utf-8"))["glyphs"]
        self.letters: dict[str, tuple[int, bytes]] = {
            one: (width, plain.outline(one)) for one, width in plain.widths.items()
        }
        self.letters |= {
            one: (width, plain.charstring(width, bytes.fromhex(outline))) for one, (_, width, outline) in more.items()
        }
        self._glyphs = {character: glyph for glyph, character in enumerate(self.letters, start=1)}
        self._advances = [0, *(width for width, _ in self.letters.values())]

    def glyph(self, character: str) -> int:
        """The number of a character's glyph, 0 where the font has none."""
        return self._glyphs.get(character, 0)

    def advance(self, glyph: int) -> int:
        """How far the pen moves after this glyph."""
        return self._advances[glyph]


@functools.cache
def letter_font() -> LetterFont:
    """The font, read once per process."""
    return LetterFont()


class LetterSubset:
    """The letters that a copy uses; at most as many as there are codes."""

    def __init__(self, codes: Mapping[str, int] = EMPTY) -> None:
        self.font = letter_font()
        self._codes = dict(codes)

    def copy(self) -> LetterSubset:
        """A subset with the same codes, which goes on by itself."""
        return LetterSubset(self._codes)

    def takes(self, letter: str) -> bool:
        """Whether this letter, which the font must have, has a code here or gets one now."""
        if letter in self._codes:
            return True
        if len(self._codes) == len(CODES):
            return False
        self._codes[letter] = CODES[len(self._codes)]
        return True

    def string(self, letters: Iterable[str]) -> bytes:
        """What shows these letters. KeyError where the subset has not taken one."""
        return b"(%s)" % bytes([self._codes[letter] for letter in letters])

    @property
    def texts(self) -> tuple[str, ...]:
        """The letters in the order of their codes."""
        return tuple(self._codes)

    def parts(self) -> Embedded:
        """What goes into a document for this subset: a simple font whose codes stand for glyph names."""
        return _parts(self.texts)

    def embed(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The font of this subset as a new object of the document."""
        return embed(pdf, self.parts())


@functools.lru_cache(maxsize=1024)
def _parts(letters: tuple[str, ...]) -> Embedded:
    """The font of these letters, in the order of their codes. Kept, because many names need the same few."""
    name, widths = tag(letters) + b"+Noto", letter_font().letters
    first, last = CODES[0], CODES[len(letters) - 1]
    row = [b"0"] * (last - first + 1)
    for letter, code in zip(letters, CODES, strict=False):
        row[code - first] = b"%d" % widths[letter][0]
    left, bottom, right, top, ascent, descent = plain_font().measures
    descriptor = (
        b"/Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d"
        b"/CapHeight 714/StemV 90" % (name, left, bottom, right, top, ascent, descent)
    )
    names = [NAME % ord(letter) for letter in letters]
    font = b"/Type/Font/Subtype/Type1/BaseFont/%s/FirstChar %d/LastChar %d/Widths[%s]/Encoding<</Differences[%s]>>" % (
        *(name, first, last),
        *(b" ".join(row), b"".join(_differences(names))),
    )
    meaning = to_unicode(dict(zip(letters, CODES, strict=False)))
    return Embedded(
        font, descriptor, b"FontFile3", b"/Subtype/Type1C", _file(name, letters, names), meaning, named=True
    )


def _differences(names: list[bytes]) -> Iterator[bytes]:
    """Names by code, with the code wherever one was left out before it (ISO 32000-2, table 112)."""
    before = 0
    for name, code in zip(names, CODES, strict=False):
        yield b"/%s" % name if code == before + 1 else b"%d/%s" % (code, name)
        before = code


def _file(name: bytes, letters: Iterable[str], names: list[bytes]) -> bytes:
    """The CFF file, with names of its own as one range (Adobe Technical Note 5176, section 13)."""
    charset = struct.pack(">BHH", 2, FIRST_NAME, len(names) - 1)
    outlines = [letter_font().letters[letter][1] for letter in letters]
    return plain_font().assembled(name, outlines, charset, names)
