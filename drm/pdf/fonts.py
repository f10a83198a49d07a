"""The fonts of copies, read straight from their files: which glyph draws a character, how wide, and its outline.

The files are mapped into memory and only the glyphs in use are touched, so opening them costs next to nothing and
forked children share the pages. ``tools/fonts.py`` builds the files in the one shape read here: TrueType outlines
without hints and a single cmap of format 12 (OpenType 1.9, ``cmap``, ``loca``, ``glyf``).
"""

from __future__ import annotations

import functools
import mmap
import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("fonts")
CJK = "NotoSansCJKsc-Regular"

ABOVE, BELOW = 230, 220
"""Canonical combining classes of the marks that are set centred over or under their base."""

SHARED_PUNCTUATION = frozenset("·‘’“”—…")
"""Signs which both fonts have; among Han they take the full width of the Chinese font."""

CONJOINING_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
"""Old Hangul letters that would have to be shaped into syllables."""


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
def font_file(name: str) -> FontFile:
    """The font of that file name, opened once per process."""
    return FontFile(FOLDER / f"{name}.ttf")


@dataclass(frozen=True)
class Face:
    """A chain of fonts: each character takes the first one that has it.

    ``bold`` faces thicken the characters of the Chinese font, which comes in one weight only, by an outline.
    """

    files: tuple[str, ...]
    bold: bool = False

    def runs(self, text: str) -> tuple[tuple[FontFile, list[str]], ...]:
        """Stretches of clusters in one font each. Raises MissingGlyph for what no font of the chain can draw."""
        return _runs(self, text)

    def split(self, text: str) -> Iterator[tuple[FontFile, list[str]]]:
        """The same one by one, worked out anew."""
        found = clusters(text)
        run: tuple[FontFile, list[str]] | None = None
        for index, cluster in enumerate(found):
            font = self._font(cluster, found[index - 1] if index else "", "".join(found[index + 1 : index + 2]))
            if run is not None and run[0] is font:
                run[1].append(cluster)
                continue
            if run is not None:
                yield run
            run = (font, [cluster])
        if run is not None:
            yield run

    def _font(self, cluster: str, before: str, after: str) -> FontFile:
        if cluster in SHARED_PUNCTUATION and (is_wide(before) or is_wide(after)):
            return font_file(CJK)
        name = first_font(self.files, cluster)
        if name is None:
            raise MissingGlyph(cluster)
        return font_file(name)


@functools.lru_cache(maxsize=4096)
def _runs(face: Face, text: str) -> tuple[tuple[FontFile, list[str]], ...]:
    return tuple(face.split(text))


@functools.lru_cache(maxsize=8192)
def first_font(names: tuple[str, ...], cluster: str) -> str | None:
    """The first of these fonts that can draw the cluster."""
    return next((name for name in names if can_draw(font_file(name), cluster)), None)


class MissingGlyph(Exception):
    """No font at hand can draw this cluster (a character with its combining marks)."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        super().__init__(" ".join(f"U+{ord(character):04X}" for character in cluster))


REGULAR = Face(("NotoSans-Regular", CJK))
BOLD = Face(("NotoSans-Bold", CJK), bold=True)
TITLE = Face(("NotoSerif-Bold", CJK), bold=True)
FACES = (REGULAR, BOLD, TITLE)


def is_wide(cluster: str) -> bool:
    """Whether this is a Han, Kana, Hangul or full-width character."""
    return bool(cluster) and unicodedata.east_asian_width(cluster[0]) in {"W", "F"}


def clusters(text: str) -> list[str]:
    """Characters, each with the combining marks that follow it."""
    found: list[str] = []
    for character in text:
        if found and unicodedata.combining(character):
            found[-1] += character
        else:
            found.append(character)
    return found


def can_draw(font: FontFile, cluster: str) -> bool:
    """Whether the font has all of a cluster and its marks can simply be centred over or under the base."""
    base, marks = cluster[0], cluster[1:]
    if not font.glyph(base) or unicodedata.category(base)[0] in "MC":
        return False
    if any(first <= ord(base) <= last for first, last in CONJOINING_JAMO):
        return False
    return all(unicodedata.combining(mark) in {ABOVE, BELOW} and font.glyph(mark) for mark in marks)


def font_files() -> tuple[Path, ...]:
    """The files of all fonts that copies are drawn with."""
    return tuple(FOLDER / f"{name}.ttf" for name in sorted({name for face in FACES for name in face.files}))


def preload() -> None:
    """Opens all fonts, so that forked children find them ready."""
    for path in font_files():
        font_file(path.stem)
