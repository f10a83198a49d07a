"""The fonts of copies, read straight from their files: which glyph draws a character, how wide, and its outline.

The characters of code page 1252 come from ``plain_font``, other letters of names from ``letter_font``, and
all others from TrueType files. These are mapped into memory
and only the glyphs in use are touched, so opening them costs next to nothing and forked children share the pages.
``tools/fonts.py`` builds the files in the one shape read here: TrueType outlines without hints and a single cmap of
format 12 (OpenType 1.9, ``cmap``, ``loca``, ``glyf``).
"""

from __future__ import annotations

import functools
import mmap
import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Protocol

from drm.pdf.letter_font import LETTER, letter_font
from drm.pdf.letter_font import PATH as LETTERS
from drm.pdf.plain_font import PATH, PLAIN, plain_font

FOLDER = Path(__file__).with_name("fonts")
CJK = "NotoSansCJKsc-Regular"

ABOVE, BELOW = 230, 220
"""Canonical combining classes of the marks that are set centred over or under their base."""

SEPARATOR = " · "
"""Stands between the fields of a line."""

SHARED_PUNCTUATION = frozenset("·‘’“”—…")
"""Signs which both fonts have; among Han they take the full width of the Chinese font."""

CONJOINING_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
"""Old Hangul letters that would have to be shaped into syllables."""


class Font(Protocol):
    """What measuring and choosing ask of a font. ``glyph`` is 0 where it lacks a character."""

    @property
    def name(self) -> str: ...
    @property
    def units_per_em(self) -> int: ...
    def glyph(self, character: str) -> int: ...
    def advance(self, glyph: int) -> int: ...


class FontFile:
    """One TrueType file. Glyph 0 is the missing glyph; measures are in font units, ``units_per_em`` to the em."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        with path.open("rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.tables: dict[bytes, tuple[int, int]] = {}
        for index in range(int.from_bytes(self.data[4:6], "big")):
            tag, _, offset, length = struct.unpack_from(">4sLLL", self.data, 12 + 16 * index)
            self.tables[tag] = (offset, length)
        head = self.tables[b"head"][0]
        self.units_per_em: int = struct.unpack_from(">H", self.data, head + 18)[0]
        self.bounds: tuple[int, int, int, int] = struct.unpack_from(">4h", self.data, head + 36)
        self._long_offsets = struct.unpack_from(">h", self.data, head + 50)[0] == 1
        hhea = self.tables[b"hhea"][0]
        self.ascent, self.descent = struct.unpack_from(">2h", self.data, hhea + 4)
        self._metrics: int = struct.unpack_from(">H", self.data, hhea + 34)[0]
        self._read_cmap()

    def _read_cmap(self) -> None:
        cmap = self.tables[b"cmap"][0]
        subtable = cmap + int.from_bytes(self.data[cmap + 8 : cmap + 12], "big")
        count = int.from_bytes(self.data[subtable + 12 : subtable + 16], "big")
        numbers = struct.unpack_from(f">{count * 3}L", self.data, subtable + 16)
        self._starts, self._ends, self._first_glyphs = numbers[0::3], numbers[1::3], numbers[2::3]

    def table(self, tag: bytes) -> bytes:
        """The bytes of one table."""
        offset, length = self.tables[tag]
        return self.data[offset : offset + length]

    def glyph(self, character: str) -> int:
        """The glyph of a character, 0 where the font has none."""
        code = ord(character)
        index = bisect_right(self._starts, code) - 1
        if index < 0 or code > self._ends[index]:
            return 0
        glyph: int = self._first_glyphs[index] + code - self._starts[index]
        return glyph

    def advance(self, glyph: int) -> int:
        """How far the pen moves after this glyph."""
        offset = self.tables[b"hmtx"][0] + 4 * min(glyph, self._metrics - 1)
        return int.from_bytes(self.data[offset : offset + 2], "big")

    def side_bearing(self, glyph: int) -> int:
        """The distance from the origin to the left edge of the outline."""
        start = self.tables[b"hmtx"][0]
        offset = start + 4 * glyph + 2 if glyph < self._metrics else start + 2 * self._metrics + 2 * glyph
        return int.from_bytes(self.data[offset : offset + 2], "big", signed=True)

    def outline(self, glyph: int) -> bytes:
        """The ``glyf`` entry; empty for a blank glyph."""
        loca = self.tables[b"loca"][0]
        if self._long_offsets:
            start, end = struct.unpack_from(">2L", self.data, loca + 4 * glyph)
        else:
            start, end = (2 * half for half in struct.unpack_from(">2H", self.data, loca + 2 * glyph))
        offset = self.tables[b"glyf"][0]
        return self.data[offset + start : offset + end]

    def glyph_bounds(self, glyph: int) -> tuple[int, int, int, int] | None:
        """Left, bottom, right and top of the outline; None for a blank glyph."""
        outline = self.outline(glyph)
        return struct.unpack_from(">4h", outline, 2) if outline else None


@functools.cache
def font_file(name: str) -> Font:
    """The font of that name, opened once per process."""
    if name == PLAIN:
        return plain_font()
    return letter_font() if name == LETTER else FontFile(FOLDER / f"{name}.ttf")


@dataclass(frozen=True)
class Face:
    """A chain of fonts: each character takes the first one that has it.

    All fonts come in one weight only, to keep copies small; ``bold`` faces thicken it by an outline.
    """

    files: tuple[str, ...]
    bold: bool = False

    def runs(self, text: str) -> tuple[tuple[Font, list[str]], ...]:
        """Stretches of clusters in one font each. Raises MissingGlyph for what no font of the chain can draw."""
        return _runs(self.files, text)


@functools.lru_cache(maxsize=4096)
def _runs(files: tuple[str, ...], text: str) -> tuple[tuple[Font, list[str]], ...]:
    fields = separable(text)
    if len(fields) > 1:
        return _joined([_runs(files, field) for field in fields])
    found = clusters(text)
    fonts = [chosen_font(files, cluster) for cluster in found]
    for index, cluster in enumerate(found):
        if cluster in SHARED_PUNCTUATION and any(map(is_wide, found[max(0, index - 1) : index + 2])):
            fonts[index] = font_file(CJK)
    pairs = groupby(zip(fonts, found, strict=True), key=itemgetter(0))
    return tuple((font, [cluster for _, cluster in run]) for font, run in pairs)


def separable(text: str) -> list[str]:
    """The fields of a line with the separators between them, as parts that are drawn alike alone and together.

    A name stands in several lines of a copy, between other fields each time: so it is looked at once.
    """
    fields = text.split(SEPARATOR)
    if len(fields) == 1 or any(field and unicodedata.combining(field[0]) for field in fields[1:]):
        return [text]
    parts = [part for field in fields for part in (SEPARATOR, field)][1:]
    return [part for part in parts if part]


def _joined(parts: Iterable[tuple[tuple[Font, list[str]], ...]]) -> tuple[tuple[Font, list[str]], ...]:
    joined: list[tuple[Font, list[str]]] = []
    for font, found in chain.from_iterable(parts):
        if joined and joined[-1][0] is font:
            joined[-1] = (font, joined[-1][1] + found)
        else:
            joined.append((font, found))
    return tuple(joined)


@functools.lru_cache(maxsize=65536)
def chosen_font(files: tuple[str, ...], cluster: str) -> Font:
    """The first of these fonts that can draw the cluster. Raises MissingGlyph."""
    for name in files:
        if can_draw(font_file(name), cluster):
            return font_file(name)
    raise MissingGlyph(cluster)


@functools.lru_cache(maxsize=8192)
def kept_glyph(font: FontFile, glyph: int) -> tuple[bytes, tuple[int, int]]:
    """Outline, filled up to whole words, advance and side bearing of a glyph, read once."""
    return whole_words(font.outline(glyph)), (font.advance(glyph), font.side_bearing(glyph))


def whole_words(data: bytes) -> bytes:
    """The data with zeros up to a multiple of four bytes, as tables and, here, outlines are stored."""
    return data + bytes(-len(data) % 4)


@functools.lru_cache(maxsize=8192)
def kept_character(font: FontFile, character: str) -> tuple[bytes, tuple[int, int]]:
    """The same of the glyph that draws a character."""
    return kept_glyph(font, font.glyph(character))


@functools.lru_cache(maxsize=65536)
def em_advance(name: str, cluster: str) -> float:
    """How far a cluster of the font of this name moves the pen, in em."""
    font = font_file(name)
    return font.advance(font.glyph(cluster[0])) / font.units_per_em


class MissingGlyph(Exception):
    """No font at hand can draw this cluster (a character with its combining marks)."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        super().__init__(" ".join(f"U+{ord(character):04X}" for character in cluster))


LATIN = "NotoSans-Regular"
REGULAR = Face((PLAIN, LETTER, LATIN, CJK))
BOLD = Face((PLAIN, LETTER, LATIN, CJK), bold=True)


@functools.lru_cache(maxsize=65536)
def is_wide(cluster: str) -> bool:
    """Whether this is a Han, Kana, Hangul or full-width character."""
    return bool(cluster) and unicodedata.east_asian_width(cluster[0]) in {"W", "F"}


def clusters(text: str) -> list[str]:
    """Characters, each with the combining marks that follow it."""
    if not any(map(unicodedata.combining, text)):
        return list(text)
    found: list[str] = []
    for character in text:
        if found and unicodedata.combining(character):
            found[-1] += character
        else:
            found.append(character)
    return found


def can_draw(font: Font, cluster: str) -> bool:
    """Whether the font has all of a cluster and its marks can simply be centred over or under the base."""
    base, marks = cluster[0], cluster[1:]
    if not font.glyph(base) or unicodedata.category(base)[0] in "MC":
        return False
    if any(first <= ord(base) <= last for first, last in CONJOINING_JAMO):
        return False
    return all(unicodedata.combining(mark) in {ABOVE, BELOW} and font.glyph(mark) for mark in marks)


def font_files() -> tuple[Path, ...]:
    """The files of all fonts that copies are drawn with."""
    return (PATH, LETTERS, *(FOLDER / f"{name}.ttf" for name in (LATIN, CJK)))


def preload() -> None:
    """Opens all fonts, so that forked children find them ready."""
    for name in REGULAR.files:
        font_file(name)
