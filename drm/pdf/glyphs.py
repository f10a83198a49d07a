"""Embedding: a TrueType subset with just the glyphs of one copy, as a simple font whose text can be read back.

Codes are single bytes, which makes text and font dictionaries half as large as those of a composite font; where a copy
needs more characters than there are codes, it gets several subsets. Every cluster has a code of its own, even where two
characters share a glyph, so ToUnicode is exact. A base with
combining marks that Unicode has no precomposed character for becomes one composite glyph under one code.
"""

from __future__ import annotations

import functools
import struct
import sys
import unicodedata
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, count, groupby
from typing import TypeAlias

import pikepdf
from pikepdf import Dictionary

from drm.pdf.embedding import CODES, Embedded, embed, tag, to_unicode
from drm.pdf.fonts import (
    ABOVE,
    CJK,
    LATIN,
    Face,
    Font,
    FontFile,
    em_advance,
    kept_character,
    kept_glyph,
    separable,
    whole_words,
)
from drm.pdf.letter_font import LETTER, LetterSubset
from drm.pdf.plain_font import PLAIN, PlainSubset

AnySubset: TypeAlias = "Subset | PlainSubset | LetterSubset"

ARGS_ARE_WORDS, ARGS_ARE_OFFSETS, HAS_SCALE, MORE, HAS_SCALE_XY, HAS_MATRIX = 0x1, 0x2, 0x8, 0x20, 0x40, 0x80
MARK_GAP = 0.06
"""White between a base and a mark that had to be moved off it, in em."""

THICKENING, TRACKING = 0.026, 0.018
"""Width in em of the outline that makes characters bold, and the space after each that keeps them apart."""

LETTERS = {PLAIN: b"P", LETTER: b"E", LATIN: b"L", CJK: b"C"}
"""What stands for each font in resource names."""


class Subset:
    """A part of one font that a copy uses; at most as many clusters as there are codes."""

    def __init__(self, font: FontFile) -> None:
        self.font = font
        self._outlines: list[bytes] = []
        self._metrics: list[tuple[int, int]] = []
        self._codes: dict[str, int] = {}
        self._glyphs: dict[int, int] = {}
        self._parts: dict[int, int] = {}
        self._outlines.append(b"")
        self._metrics.append((0, 0))

    def copy(self) -> Subset:
        """A subset with the same codes, which goes on by itself."""
        other = Subset(self.font)
        other._outlines, other._metrics = self._outlines[:], self._metrics[:]
        other._codes, other._glyphs, other._parts = dict(self._codes), dict(self._glyphs), dict(self._parts)
        return other

    def takes(self, cluster: str) -> bool:
        """Whether this cluster, which the font must have, has a code here or gets one now."""
        if cluster in self._codes:
            return True
        if len(self._codes) == len(CODES):
            return False
        glyph = self._add(*kept_character(self.font, cluster)) if len(cluster) == 1 else self._compose(cluster)
        code = CODES[len(self._codes)]
        self._codes[cluster], self._glyphs[code] = code, glyph
        return True

    def string(self, found: Iterable[str]) -> bytes:
        """What shows these clusters. KeyError where the subset has not taken one."""
        return b"(%s)" % bytes([self._codes[cluster] for cluster in found])

    def _add(self, outline: bytes, metric: tuple[int, int]) -> int:
        code = len(self._outlines)
        self._outlines.append(outline)
        self._metrics.append(metric)
        if outline[:1] >= b"\x80":
            self._outlines[code] = self._renumbered(outline)
        return code

    def _part(self, glyph: int) -> int:
        if glyph not in self._parts:
            self._parts[glyph] = self._add(*kept_glyph(self.font, glyph))
        return self._parts[glyph]

    def _renumbered(self, outline: bytes) -> bytes:
        """A composite glyph with the numbers of its components in this subset."""
        data, offset, flags = bytearray(outline), 10, MORE
        while flags & MORE:
            flags, glyph = struct.unpack_from(">2H", data, offset)
            struct.pack_into(">H", data, offset + 2, self._part(glyph))
            offset += 8 if flags & ARGS_ARE_WORDS else 6
            offset += 2 * bool(flags & HAS_SCALE) + 4 * bool(flags & HAS_SCALE_XY) + 8 * bool(flags & HAS_MATRIX)
        return bytes(data)

    def _compose(self, cluster: str) -> int:
        """A glyph of the base with its marks centred over or under it."""
        base = self.font.glyph(cluster[0])
        box = self.font.glyph_bounds(base) or (0, 0, self.font.advance(base), 0)
        left, bottom, right, top = box
        parts = [(self._part(base), 0, 0)]
        for character in cluster[1:]:
            glyph = self.font.glyph(character)
            mark = self.font.glyph_bounds(glyph)
            if mark is None:
                continue
            across = round((left + right - mark[0] - mark[2]) / 2)
            gap = round(MARK_GAP * self.font.units_per_em)
            if unicodedata.combining(character) == ABOVE:
                up = max(0, top + gap - mark[1])
                top = mark[3] + up
            else:
                up = min(0, bottom - gap - mark[3])
                bottom = mark[1] + up
            left, right = min(left, mark[0] + across), max(right, mark[2] + across)
            parts.append((self._part(glyph), across, up))
        data = struct.pack(">5h", -1, left, bottom, right, top)
        for index, (part, across, up) in enumerate(parts):
            more = MORE if index + 1 < len(parts) else 0
            data += struct.pack(">2H2h", ARGS_ARE_WORDS | ARGS_ARE_OFFSETS | more, part, across, up)
        self._outlines.append(whole_words(data))
        self._metrics.append((self.font.advance(base), left))
        return len(self._outlines) - 1

    @property
    def texts(self) -> tuple[str, ...]:
        """The clusters in the order of their codes."""
        return tuple(self._codes)

    def parts(self) -> Embedded:
        """Everything that goes into a document for this subset: a simple, symbolic font (ISO 32000-2, 9.6.5.4)."""
        scale = 1000 / self.font.units_per_em
        name = tag(self._codes) + b"+" + self.font.name.encode()
        first, last = CODES[0], max(self._glyphs)
        widths = [b"0"] * (last - first + 1)
        for code, glyph in self._glyphs.items():
            widths[code - first] = b"%d" % round(self._metrics[glyph][0] * scale)
        box = tuple(round(value * scale) for value in self.font.bounds)
        heights = (round(self.font.ascent * scale), round(self.font.descent * scale))
        descriptor = (
            b"/Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent %d/Descent %d"
            b"/CapHeight 714/StemV 80" % (name, *box, *heights)
        )
        font = b"/Type/Font/Subtype/TrueType/BaseFont/%s/FirstChar %d/LastChar %d/Widths[%s]" % (
            *(name, first, last),
            b" ".join(widths),
        )
        data = self.file()
        return Embedded(font, descriptor, b"FontFile2", b"/Length1 %d" % len(data), data, to_unicode(self._codes))

    def embed(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The font of this subset as a new object of the document."""
        return embed(pdf, self.parts())

    def file(self) -> bytes:
        """The TrueType file."""
        outlines = self._outlines
        offsets = [0, *(length // 2 for length in accumulate(map(len, outlines)))]
        count = len(outlines)
        wide = offsets[-1] > 0xFFFF
        head, hhea, maxp = _headers(self.font, wide, count)
        places = [2 * offset for offset in offsets] if wide else offsets
        tables = {
            b"cmap": self._cmap(),
            b"glyf": b"".join(outlines),
            b"head": head,
            b"hhea": hhea,
            b"hmtx": struct.pack(">" + "Hh" * count, *chain.from_iterable(self._metrics)),
            b"loca": struct.pack(f">{count + 1}{'L' if wide else 'H'}", *places),
            b"maxp": maxp,
        }
        return _sfnt(tables, sum(map(_checksum, outlines)) & 0xFFFFFFFF)

    def _cmap(self) -> bytes:
        """Codes to glyphs for a symbolic font: a Macintosh subtable of format 6."""
        rows = [self._glyphs.get(code, 0) for code in range(CODES[0], max(self._glyphs) + 1)]
        head = struct.pack(">4HL5H", 0, 1, 1, 0, 12, 6, 10 + 2 * len(rows), 0, CODES[0], len(rows))
        return head + struct.pack(f">{len(rows)}H", *rows)


@functools.lru_cache(maxsize=1024)
def _headers(font: FontFile, wide: bool, count: int) -> tuple[bytes, bytes, bytes]:
    """The tables that are the same in all subsets of a font with so many glyphs: head, hhea and maxp."""
    head, hhea, maxp = (bytearray(font.table(tag)) for tag in (b"head", b"hhea", b"maxp"))
    struct.pack_into(">L", head, 8, 0)
    struct.pack_into(">4L", head, 20, 0, 0, 0, 0)
    struct.pack_into(">h", head, 50, wide)
    struct.pack_into(">H", hhea, 34, count)
    struct.pack_into(">H", maxp, 4, count)
    struct.pack_into(">4H", maxp, 6, 2000, 200, 4000, 400)
    struct.pack_into(">2H", maxp, 28, 16, 4)
    return bytes(head), bytes(hhea), bytes(maxp)


def _sfnt(tables: dict[bytes, bytes], glyf: int) -> bytes:
    """A TrueType file of these tables (OpenType 1.9, "Organization of an OpenType font"); ``glyf`` is the sum of that one."""
    power = len(tables).bit_length() - 1
    header = struct.pack(">L4H", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    directory, bodies, offset = [header], [], 12 + 16 * len(tables)
    for name, data in sorted(tables.items()):
        padded = whole_words(data)
        checksum = glyf if name == b"glyf" else _checksum(padded)
        directory.append(struct.pack(">4s3L", name, checksum, offset, len(data)))
        bodies.append(padded)
        offset += len(padded)
    return b"".join([*directory, *bodies])


@functools.lru_cache(maxsize=8192)
def _checksum(padded: bytes) -> int:
    """The sum of the words of a table or an outline (OpenType 1.9, "Calculating checksums"); outlines come again."""
    words = array("I", padded)
    if sys.byteorder == "little":
        words.byteswap()
    return sum(words) & 0xFFFFFFFF


@functools.lru_cache(maxsize=4096)
def em_width(text: str, face: Face) -> float:
    """The width of a text in em. Raises MissingGlyph."""
    fields = separable(text)
    if len(fields) > 1:
        return sum([em_width(field, face) for field in fields])
    width = 0.0
    for font, found in face.runs(text):
        width += TRACKING * len(found) if face.bold else 0
        width += sum([em_advance(font.name, cluster) for cluster in found])
    return width


class Lettering:
    """All text of one copy: measures it, writes its operators and gathers the fonts that it needs."""

    PREFIX = b"Rl"
    """How the resource names of its fonts begin."""

    def __init__(self) -> None:
        self._subsets: dict[bytes, AnySubset] = {}

    @property
    def subsets(self) -> Mapping[bytes, AnySubset]:
        """The subsets with what was shown so far, by resource name."""
        return self._subsets

    def _drawn(self, font: Font, found: Iterable[str], size: float) -> bytes:
        """The operators that show clusters of one font."""
        return shown_in(self._coded(font, list(found)), size)

    def _coded(self, font: Font, found: Sequence[str]) -> list[tuple[bytes, bytes]]:
        """What shows clusters of one font: the resource name of a subset and a string of its codes, one after the other."""
        first = self.PREFIX + LETTERS[font.name]
        subset = self._subsets.get(first)
        if subset is None:
            subset = self._subsets[first] = _begun(font)
        try:
            return [(first, subset.string(found))]
        except KeyError:
            pass
        if all(map(subset.takes, found)):
            return [(first, subset.string(found))]
        stretches = groupby(found, lambda cluster: self._taker(font, cluster))
        return [(name, self._subsets[name].string(tuple(stretch))) for name, stretch in stretches]

    def _taker(self, font: Font, cluster: str) -> bytes:
        """The resource name of the first subset of this font that takes the cluster."""
        name = letters = self.PREFIX + LETTERS[font.name]
        for another in count(2):
            if name not in self._subsets:
                self._subsets[name] = _begun(font)
            if self._subsets[name].takes(cluster):
                return name
            name = letters + b"%d" % another
        raise AssertionError("counting ends never")

    def width(self, text: str, face: Face, size: float) -> float:
        """How wide the text is at this size. Raises MissingGlyph."""
        return size * em_width(text, face)

    def show(self, text: str, face: Face, size: float, x: float, y: float) -> bytes:
        """The operators that write the text from (x, y), in the current fill and stroke colours.

        Strings hold codes that need no escape, or are escaped, so nothing in them can act.
        """
        return self.show_row([(text, face, x)], size, y)

    def show_row(self, pieces: Sequence[tuple[str, Face, float]], size: float, y: float) -> bytes:
        """The same for several texts of one size on one line, each with its face and its x, in one text object."""
        parts, before, up = [b"BT"], 0.0, y
        for text, face, x in pieces:
            shown = self.shown(text, face, size)
            if face.bold:  # filled and outlined
                sizes = (number(TRACKING * size), number(THICKENING * size), shown)
                shown = b"2 Tr %s Tc %s w %s 0 Tr 0 Tc" % sizes
            parts.append(b"%s %s Td %s" % (place(x - before), place(up), shown))
            before, up = x, 0.0
        return b" ".join([*parts, b"ET\n"])

    def shown(self, text: str, face: Face, size: float) -> bytes:
        """The operators that show the text wherever the pen is, in one weight."""
        return b" ".join([self._drawn(font, found, size) for font, found in face.runs(text)])

    def fonts(self, pdf: pikepdf.Pdf) -> Dictionary:
        """The /Font resources for everything shown so far; call it after the last ``show``."""
        return Dictionary({f"/{name.decode()}": subset.embed(pdf) for name, subset in self._subsets.items()})


def shown_in(pieces: Iterable[tuple[bytes, bytes]], size: float) -> bytes:
    """The operators that show strings one behind the other, each in the font of its resource name."""
    points = number(size)
    return b" ".join([b"/%s %s Tf %s Tj" % (name, points, string) for name, string in pieces])


def _begun(font: Font) -> AnySubset:
    """A subset of a font with nothing in it yet."""
    if isinstance(font, FontFile):
        return Subset(font)
    return PlainSubset() if font.name == PLAIN else LetterSubset()


@functools.lru_cache(maxsize=16384)
def number(value: float) -> bytes:
    """A number as content streams have it: at most four decimals, no zero before the point, never an exponent."""
    return _number(b"%.4f" % value)


@functools.lru_cache(maxsize=16384)
def place(value: float) -> bytes:
    """A number that need not be told apart from another within a hundredth of a point."""
    return _number(b"%.2f" % value)


def _number(text: bytes) -> bytes:
    whole, _, decimals = text.partition(b".")
    decimals = decimals.rstrip(b"0")
    if not decimals:
        return b"0" if whole == b"-0" else whole
    return (whole[:-1] if whole in {b"0", b"-0"} else whole) + b"." + decimals
