"""Text of a tail: codes of the master's own fonts where they have the characters, and small subsets for the rest.

A subset for the rest is a TrueType font like those of the rewrite engine, made from the outlines that are mapped into
memory: for 24 Chinese characters that takes 0.2 ms and 3.7 KB, less than Type 3 procedures with a stream each.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from drm.pdf.fonts import CJK, FACES, Face, font_file, is_wide
from drm.pdf.glyphs import THICKENING, Lettering, Subset, number
from drm.pdf.tail.values import MasterFont


@dataclass(frozen=True)
class FontTables:
    """The codes of a master's fonts, by font and text; and for each face what single narrow characters take.

    ``quick`` and ``widths`` serve texts without wide or combined characters, where every character stands for itself.
    """

    codes: dict[str, dict[str, bytes]]
    quick: dict[Face, dict[str, bytes]]
    widths: dict[Face, dict[str, float]]


@functools.lru_cache(maxsize=256)
def font_tables(fonts: tuple[MasterFont, ...]) -> FontTables:
    """The tables of a master's fonts."""
    codes = {font.name: {text: b"%04X" % code for code, text in enumerate(font.texts) if text} for font in fonts}
    quick: dict[Face, dict[str, bytes]] = {}
    widths: dict[Face, dict[str, float]] = {}
    for face in FACES:
        first = font_file(face.files[0])
        own = codes.get(first.name, {})
        quick[face] = {text: code for text, code in own.items() if len(text) == 1 and not is_wide(text)}
        widths[face] = {text: first.advance(first.glyph(text)) / first.units_per_em for text in quick[face]}
    return FontTables(codes, quick, widths)


class TailLettering(Lettering):
    """Measures and writes text with a master's fonts, gathering what they lack."""

    def __init__(self, tables: FontTables) -> None:
        super().__init__()
        self._tables = tables

    def width(self, text: str, face: Face, size: float) -> float:
        """How wide the text is at this size. Raises MissingGlyph."""
        widths = self._tables.widths[face]
        try:
            return size * sum([widths[character] for character in text])
        except KeyError:
            return super().width(text, face, size)

    def show(self, text: str, face: Face, size: float, x: float, y: float) -> bytes:
        """The operators that write the text from (x, y)."""
        codes = self._tables.quick[face]
        try:
            shown = b"".join([codes[character] for character in text])
        except KeyError:
            return self._show_mixed(text, face, size, x, y)
        name = face.files[0].replace("-", "").encode()
        return b"BT 1 0 0 1 %s %s Tm 0 Tr /RL%s %s Tf <%s> Tj ET\n" % (number(x), number(y), name, number(size), shown)

    def _show_mixed(self, text: str, face: Face, size: float, x: float, y: float) -> bytes:
        parts = []
        for name, resource, codes in self._stretches(text, face):
            weight = b"2 Tr %s w " % number(THICKENING * size) if face.bold and name == CJK else b"0 Tr "
            parts.append(weight + b"/%s %s Tf <%s> Tj" % (resource, number(size), codes))
        return b"BT 1 0 0 1 %s %s Tm %s ET\n" % (number(x), number(y), b" ".join(parts))

    def _stretches(self, text: str, face: Face) -> Iterator[tuple[str, bytes, bytes]]:
        """Font, resource name and codes of each stretch that is either in the master's fonts or not."""
        for font, found in face.runs(text):
            own = self._tables.codes.get(font.name, {})
            plain = font.name.replace("-", "").encode()
            stretch, ours = b"", True
            for cluster in found:
                if (cluster in own) != ours and stretch:
                    yield font.name, (b"RL" if ours else b"RX") + plain, stretch
                    stretch = b""
                ours = cluster in own
                stretch += own[cluster] if ours else b"%04X" % self._subset(font).code(cluster)
            yield font.name, (b"RL" if ours else b"RX") + plain, stretch

    def copy(self) -> TailLettering:
        """A lettering with the same characters under the same codes, which goes on by itself."""
        other = TailLettering(self._tables)
        other._subsets = {name: subset.copy() for name, subset in self._subsets.items()}
        return other

    @property
    def extra(self) -> list[tuple[bytes, Subset]]:
        """Resource names and subsets of what the master's fonts lack."""
        return [(b"RX" + name.replace("-", "").encode(), subset) for name, subset in self._subsets.items()]
