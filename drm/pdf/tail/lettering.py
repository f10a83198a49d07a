"""Text of a tail: codes of the master's own fonts where they have the characters, and small subsets for the rest.

A subset for the rest is a font like those of the rewrite engine, made from outlines that are kept in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TypeAlias

from drm.pdf.embedding import CODES
from drm.pdf.fonts import Face, Font, separable
from drm.pdf.glyphs import LETTERS, TRACKING, Lettering, em_width, number, shown_in
from drm.pdf.letter_font import letter_font
from drm.pdf.plain_font import PLAIN, literal, plain_font
from drm.pdf.tail.values import MasterFont

NONE: Mapping[str, tuple[bytes, int]] = {}
_Piece: TypeAlias = tuple[str, bytes, bytes]
"""A stretch of text: the font that has it, the resource name of what it is shown with, and the string that shows it."""

WIDTHS: Callable[[str], int] = plain_font().widths.__getitem__


@dataclass(frozen=True, eq=False)
class FontTables:
    """What a master's fonts can show. The same fonts have the same tables, so these are compared by identity.

    ``plain`` holds the characters of its plain font; ``entries`` the fonts as resources; ``codes`` the resource name and
    code of all other clusters, by font.
    """

    plain: frozenset[str]
    entries: bytes
    codes: Mapping[str, Mapping[str, tuple[bytes, int]]]


def resource_names(fonts: Sequence[MasterFont]) -> list[bytes]:
    """The resource names of a master's fonts; where there are several of one name they are numbered."""
    names: list[bytes] = []
    for index, font in enumerate(fonts):
        before = sum(one.name == font.name for one in fonts[:index])
        names.append(b"Rl" + LETTERS[font.name] + (b"%d" % (before + 1) if before else b""))
    return names


@functools.lru_cache(maxsize=256)
def font_tables(fonts: tuple[MasterFont, ...]) -> FontTables:
    """The tables of a master's fonts."""
    plain = frozenset(text for font in fonts if font.name == PLAIN for text in font.texts)
    codes: dict[str, dict[str, tuple[bytes, int]]] = {}
    for name, font in zip(resource_names(fonts), fonts, strict=True):
        if font.name != PLAIN:
            pairs = zip(font.texts, CODES, strict=False)
            codes.setdefault(font.name, {}).update({text: (name, code) for text, code in pairs})
    entries = [b"/%s %d 0 R" % (name, font.number) for name, font in zip(resource_names(fonts), fonts, strict=True)]
    return FontTables(plain, b"".join(entries), codes)


@functools.lru_cache(maxsize=4096)
def _plain_width(plain: frozenset[str], text: str) -> float | None:
    """The width of a text of the plain font in em; None where a character is not among these."""
    return sum(map(WIDTHS, text)) / 1000 if plain.issuperset(text) else None


@functools.lru_cache(maxsize=4096)
def _mixed_width(plain: frozenset[str], text: str, face: Face) -> float:
    """The width of any text in em. Raises MissingGlyph."""
    width = 0.0
    for field in separable(text):
        known = _plain_width(plain, field)
        if known is None:
            width += em_width(field, face)
        else:
            width += known + TRACKING * len(field) if face.bold else known
    return width


def _joined(parts: Iterable[Sequence[_Piece]]) -> tuple[_Piece, ...]:
    """Pieces after another, those that meet in one font as one."""
    joined: list[_Piece] = []
    for font, name, string in chain.from_iterable(parts):
        if joined and joined[-1][:2] == (font, name):
            joined[-1] = (font, name, joined[-1][2][:-1] + string[1:])
        else:
            joined.append((font, name, string))
    return tuple(joined)


plain_literal = functools.lru_cache(maxsize=4096)(literal)
"""The same text stands in several places of a copy, and a date in many copies."""


class TailLettering(Lettering):
    """Measures and writes text with a master's fonts, gathering what they lack."""

    PREFIX = b"Rx"

    def __init__(self, tables: FontTables) -> None:
        super().__init__()
        self.tables = tables
        self._pieces: dict[str, tuple[_Piece, ...]] = {}

    @property
    def entries(self) -> bytes:
        """The master's fonts as entries of a dictionary of resources."""
        return self.tables.entries

    def width(self, text: str, face: Face, size: float) -> float:
        """How wide the text is at this size. Raises MissingGlyph."""
        plain = _plain_width(self.tables.plain, text)
        if plain is None:
            return size * _mixed_width(self.tables.plain, text, face)
        return size * (plain + TRACKING * len(text)) if face.bold else size * plain

    def shown(self, text: str, face: Face, size: float) -> bytes:
        """The operators that show the text wherever the pen is, in one weight."""
        if _plain_width(self.tables.plain, text) is not None:
            return b"/RlP %s Tf %s Tj" % (number(size), plain_literal(text))
        return shown_in([(name, string) for _, name, string in self._cut(text, face)], size)

    def _cut(self, text: str, face: Face) -> tuple[_Piece, ...]:
        """The text in pieces of one font each. A name stands in several lines between other fields, so a field is cut once."""
        known = self._pieces.get(text)
        if known is None:
            fields = separable(text)
            known = self._pieces[text] = _joined([self._field(field, face) for field in fields])
        return known

    def _field(self, text: str, face: Face) -> tuple[_Piece, ...]:
        """The same of text without separators."""
        if _plain_width(self.tables.plain, text) is not None:
            return ((PLAIN, b"RlP", plain_literal(text)),)
        known = self._pieces.get(text)
        if known is None:
            runs = face.runs(text)
            known = self._pieces[text] = tuple(chain.from_iterable([self._mixed(font, found) for font, found in runs]))
        return known

    def _mixed(self, font: Font, found: Sequence[str]) -> Iterator[_Piece]:
        """Clusters of one font, of which the master may have some."""
        if font.name == PLAIN:
            for ours, stretch in groupby(found, self.tables.plain.__contains__):
                if ours:
                    yield PLAIN, b"RlP", literal("".join(stretch))
                else:
                    yield from [(PLAIN, *coded) for coded in self._coded(letter_font(), list(stretch))]
            return
        own = self.tables.codes.get(font.name, NONE)
        for name, stretch in groupby(found, lambda cluster: own[cluster][0] if cluster in own else None):
            if name is None:
                yield from [(font.name, *coded) for coded in self._coded(font, list(stretch))]
            else:
                yield font.name, name, b"(%s)" % bytes([own[cluster][1] for cluster in stretch])

    def copy(self) -> TailLettering:
        """A lettering with the same characters under the same codes, which goes on by itself."""
        other = TailLettering(self.tables)
        other.take_from(self)
        return other

    def take_from(self, other: TailLettering) -> None:
        """Have the characters of another, under the same codes."""
        self._subsets = {name: subset.copy() for name, subset in other._subsets.items()}

    def texts(self) -> dict[bytes, tuple[str, ...]]:
        """What the subsets hold so far, by resource name."""
        return {name: subset.texts for name, subset in self._subsets.items()}
