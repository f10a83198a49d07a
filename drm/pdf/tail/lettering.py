"""Text of a tail: codes of the master's own fonts where they have the characters, and small subsets for the rest.

A subset for the rest is a font like those of the rewrite engine, made from outlines that are kept in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from drm.pdf.embedding import CODES
from drm.pdf.fonts import Face, Font
from drm.pdf.glyphs import LETTERS, TRACKING, Lettering, em_width, number
from drm.pdf.letter_font import letter_font
from drm.pdf.plain_font import PLAIN, literal, plain_font
from drm.pdf.tail.values import MasterFont

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


plain_literal = functools.lru_cache(maxsize=4096)(literal)
"""The same text stands in several places of a copy, and a date in many copies."""


class TailLettering(Lettering):
    """Measures and writes text with a master's fonts, gathering what they lack."""

    PREFIX = b"Rx"

    def __init__(self, tables: FontTables) -> None:
        super().__init__()
        self.tables = tables

    @property
    def entries(self) -> bytes:
        """The master's fonts as entries of a dictionary of resources."""
        return self.tables.entries

    def width(self, text: str, face: Face, size: float) -> float:
        """How wide the text is at this size. Raises MissingGlyph."""
        plain = _plain_width(self.tables.plain, text)
        if plain is None:
            return size * em_width(text, face)
        return size * (plain + TRACKING * len(text)) if face.bold else size * plain

    def shown(self, text: str, face: Face, size: float) -> bytes:
        """The operators that show the text wherever the pen is, in one weight."""
        if _plain_width(self.tables.plain, text) is not None:
            return b"/RlP %s Tf %s Tj" % (number(size), plain_literal(text))
        return b" ".join([self._mixed(font, found, size) for font, found in face.runs(text)])

    def _mixed(self, font: Font, found: Sequence[str], size: float) -> bytes:
        """Clusters of one font, of which the master may have some."""
        if font.name == PLAIN:
            stretches = groupby(found, self.tables.plain.__contains__)
            return b" ".join([self._plain(ours, list(some), size) for ours, some in stretches])
        own = self.tables.codes.get(font.name)
        if own is None:
            return self._drawn(font, found, size)
        parts = []
        for name, stretch in groupby(found, lambda cluster: own[cluster][0] if cluster in own else None):
            if name is None:
                parts.append(self._drawn(font, stretch, size))
            else:
                codes = bytes([own[cluster][1] for cluster in stretch])
                parts.append(b"/%s %s Tf (%s) Tj" % (name, number(size), codes))
        return b" ".join(parts)

    def _plain(self, ours: bool, found: list[str], size: float) -> bytes:
        if ours:
            return b"/RlP %s Tf %s Tj" % (number(size), literal("".join(found)))
        return self._drawn(letter_font(), found, size)

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
