"""The characters of code page 1252 as a small CFF font: what nearly every word on a copy is made of.

A copy carries outlines of its own, and small documents would grow by a fifth if these were TrueType. Type 2
charstrings on a coarse grid need 40 bytes a letter; with /WinAnsiEncoding (ISO 32000-2, annex D) they need no map to
Unicode, and text in content streams is written in single bytes. ``tools/fonts.py`` makes the file that is read here.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import pikepdf

from drm.pdf.embedding import Embedded, embed, tag

PLAIN = "NotoSans-Plain"
PATH = Path(__file__).with_name("fonts") / f"{PLAIN}.json"
BLANK = b"\x0e"
"""The charstring of an empty glyph: ``endchar``."""

SHORT, REAL = b"\x1c", b"\x1e"
BOX, CHARSET, CHARSTRINGS, PRIVATE, MATRIX = b"\x05", b"\x0f", b"\x11", b"\x12", b"\x0c\x07"
"""Operators of a top DICT (Adobe Technical Note 5176, table 9)."""

USUAL_WIDTH = 184
"""What widths are told from (nominalWidthX), in units of the grid: nearly all of them then need a single byte."""

WIDTHS = b"\x8b\x14\x1c\x00\xb8\x15"
"""A private DICT with defaultWidthX 0 and nominalWidthX 184. Some readers part words by the widths of the font's own file."""


class PlainFont:
    """The font as it is kept. Glyphs are numbered by code; 0 is the missing glyph. Measures are thousandths of an em."""

    name = PLAIN
    units_per_em = 1000

    def __init__(self, path: Path = PATH) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        self.grid: int = content["units"]
        self.measures: tuple[int, ...] = tuple(content["measures"])
        self.widths: dict[str, int] = {character: width for character, (_, width, _) in content["glyphs"].items()}
        self._codes: dict[str, int] = {character: character.encode("cp1252")[0] for character in self.widths}
        self._by_code: dict[int, tuple[int, int, bytes]] = {
            self._codes[character]: (sid, width, self.charstring(width, bytes.fromhex(outline)))
            for character, (sid, width, outline) in content["glyphs"].items()
        }

        unit, zero = _real(f"{1 / self.grid:.6f}".lstrip("0").rstrip("0")), b"\x8b"
        box = b"".join(_short(round(one * self.grid / 1000)) for one in self.measures[:4])
        self._measured = unit + zero + zero + unit + zero + zero + MATRIX + box + BOX

    def charstring(self, width: int, outline: bytes) -> bytes:
        """An outline on this grid with the width before it, rounded to the grid (Adobe Technical Note 5177, section 3.1)."""
        return _number(round(width * self.grid / 1000) - USUAL_WIDTH) + outline

    def outline(self, character: str) -> bytes:
        """The charstring of a character, width and all."""
        return self._by_code[self._codes[character]][2]

    def glyph(self, character: str) -> int:
        """The code of a character, 0 where the font has none."""
        return self._codes.get(character, 0)

    def advance(self, glyph: int) -> int:
        """How far the pen moves after this glyph."""
        return self._by_code[glyph][1]

    def file(self, codes: Iterable[int], name: bytes) -> bytes:
        """A CFF font with these glyphs in ascending order of code (Adobe Technical Note 5176)."""
        glyphs = [self._by_code[code] for code in sorted(codes)]
        return self.assembled(name, [outline for _, _, outline in glyphs], _charset([sid for sid, _, _ in glyphs]))

    def assembled(self, name: bytes, outlines: Iterable[bytes], charset: bytes, names: Sequence[bytes] = ()) -> bytes:
        """A CFF font on the grid of this one; ``names`` are those of glyphs that are not standard strings."""
        charstrings = _index([BLANK, *outlines])
        before, strings = b"\x01\x00\x04\x02" + _index([name]), _index(names)
        start = len(before) + len(_index([self._top(0, 0, 0)])) + len(strings) + len(EMPTY)
        places = (start, start + len(charset), start + len(charset) + len(charstrings))
        return b"".join([before, _index([self._top(*places)]), strings, EMPTY, charset, charstrings, WIDTHS])

    def _top(self, charset: int, charstrings: int, private: int) -> bytes:
        """The top DICT. Offsets are written as short numbers, for which every subset of 213 glyphs is small enough."""
        places = _short(charset) + CHARSET + _short(charstrings) + CHARSTRINGS
        return self._measured + places + _short(len(WIDTHS)) + _short(private) + PRIVATE


EMPTY = b"\0\0"
"""An INDEX without members."""


def _charset(sids: Sequence[int]) -> bytes:
    """The names of glyphs as ranges of consecutive ones (Adobe Technical Note 5176, section 13, format 1)."""
    ranges: list[list[int]] = []
    for sid in sids:
        if ranges and sid == sum(ranges[-1]) + 1 and ranges[-1][1] < 255:
            ranges[-1][1] += 1
        else:
            ranges.append([sid, 0])
    return b"\x01" + b"".join([struct.pack(">HB", first, left) for first, left in ranges])


def _short(value: int) -> bytes:
    return SHORT + struct.pack(">h", value)


def _number(value: int) -> bytes:
    """A number of a charstring in as few bytes as it takes."""
    return bytes([value + 139]) if -107 <= value <= 107 else _short(value)


def _real(text: str) -> bytes:
    nibbles = text.replace(".", "a") + "f"
    return REAL + bytes.fromhex(nibbles + "f" * (len(nibbles) % 2))


def _index(members: Sequence[bytes]) -> bytes:
    """An INDEX: count, size of offsets, offsets from 1 on, and the data."""
    if not members:
        return EMPTY
    offsets = [1]
    for member in members:
        offsets.append(offsets[-1] + len(member))
    size = 1 if offsets[-1] < 1 << 8 else 2
    packed = b"".join(offset.to_bytes(size, "big") for offset in offsets)
    return struct.pack(">HB", len(members), size) + packed + b"".join(members)


@functools.cache
def plain_font() -> PlainFont:
    """The font, read once per process."""
    return PlainFont()


def literal(text: str) -> bytes:
    """Text of this font as a literal string (ISO 32000-2, 7.3.4.2); nothing in it can end the string or act."""
    data = text.encode() if text.isascii() else text.encode("cp1252")
    return b"(%s)" % data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


class PlainSubset:
    """The part of this font that a copy uses."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.font = plain_font()
        self._used = set(texts)

    def copy(self) -> PlainSubset:
        """A subset with the same characters, which goes on by itself."""
        return PlainSubset(self._used)

    def takes(self, character: str) -> bool:
        """Takes a character, which the font must have."""
        self._used.add(character)
        return True

    def string(self, characters: Iterable[str]) -> bytes:
        """What shows these characters. KeyError where the subset has not taken one."""
        text = "".join(characters)
        if not self._used.issuperset(text):
            raise KeyError(text)
        return literal(text)

    @property
    def texts(self) -> tuple[str, ...]:
        """The characters in the subset, in ascending order of code."""
        return tuple(sorted(self._used, key=self.font.glyph))

    def parts(self) -> Embedded:
        """What goes into a document for this subset."""
        name = tag(self.texts) + b"+" + PLAIN.encode()
        codes = [self.font.glyph(character) for character in self.texts]
        widths = [b"0"] * (codes[-1] - codes[0] + 1)
        for code in codes:
            widths[code - codes[0]] = b"%d" % self.font.advance(code)
        left, bottom, right, top, ascent, descent = self.font.measures
        descriptor = (
            b"/Type/FontDescriptor/FontName/%s/Flags 32/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d"
            b"/CapHeight 714/StemV 90" % (name, left, bottom, right, top, ascent, descent)
        )
        font = b"/Type/Font/Subtype/Type1/BaseFont/%s/FirstChar %d/LastChar %d/Widths[%s]/Encoding/WinAnsiEncoding" % (
            name,
            codes[0],
            codes[-1],
            b" ".join(widths),
        )
        return Embedded(font, descriptor, b"FontFile3", b"/Subtype/Type1C", self.font.file(codes, name))

    def embed(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The font of this subset as a new object of the document."""
        return embed(pdf, self.parts())
