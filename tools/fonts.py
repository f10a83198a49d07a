"""Builds the fonts of ``drm/pdf/fonts/`` from the Noto families; run by hand when a family has a new release.

    python tools/fonts.py cjk NotoSansCJK-Regular.ttc drm/pdf/fonts/NotoSansCJKsc-Regular.ttf
    python tools/fonts.py latin NotoSans-Regular.ttf drm/pdf/fonts/NotoSans-Regular.ttf

Debian's ``fonts-noto-cjk`` and ``fonts-noto-core`` hold the sources, all under the SIL Open Font License 1.1; they
declare no reserved font name. The results have plain TrueType outlines without hints and one cmap of format 12,
which is all that ``drm/pdf/fonts.py`` reads. The CJK face takes about two minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

CJK_FACE = 2
"""Simplified Chinese in the collection; it also holds Kana, Hangul and extension B as far as Noto has them."""

LATIN_GREEK_CYRILLIC = (
    *range(0x0020, 0x007F),
    *range(0x00A0, 0x0530),
    *range(0x1AB0, 0x1ACF),
    *range(0x1C80, 0x1C89),
    *range(0x1D00, 0x2070),
    *range(0x2070, 0x2190),
    *range(0x2C60, 0x2C80),
    *range(0x2DE0, 0x2E60),
    *range(0xA640, 0xA6A0),
    *range(0xA700, 0xA800),
    *range(0xAB30, 0xAB70),
)

CURVE_ERROR = 1.0
"""Largest distance in font units between a cubic outline and the quadratic one that replaces it."""

KEPT_TABLES = {"cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "OS/2", "post"}


def reduced(font: TTFont, characters: list[int]) -> None:
    """Keeps the glyphs of these characters and drops hints, layout rules and unencoded alternates."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], drop_tables=[])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)


def to_truetype(font: TTFont) -> None:
    """Replaces cubic (CFF) outlines by quadratic ones."""
    outlines, order = font.getGlyphSet(), font.getGlyphOrder()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, CURVE_ERROR, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, glyphs
    counts = font["maxp"]
    counts.tableVersion, counts.maxZones = 0x00010000, 1
    for field in (
        *("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements"),
        *("maxSizeOfInstructions", "maxComponentElements", "maxPoints", "maxContours", "maxCompositePoints"),
        *("maxCompositeContours", "maxComponentDepth"),
    ):
        setattr(counts, field, 0)
    font["glyf"].compile(font)
    font.sfntVersion = "\x00\x01\x00\x00"


def with_one_cmap(font: TTFont) -> None:
    """Leaves a single character map of format 12."""
    table = CmapSubtable.newSubtable(12)
    table.platformID, table.platEncID, table.language = 3, 10, 0
    table.cmap = font.getBestCmap()
    font["cmap"].tables = [table]


def build(source: Path, target: Path, face: int, characters: list[int] | None) -> int:
    """Writes one font and returns its number of glyphs."""
    font = TTFont(source, fontNumber=face, recalcTimestamp=False)
    reduced(font, characters if characters is not None else list(font.getBestCmap()))
    if "glyf" not in font:
        to_truetype(font)
    with_one_cmap(font)
    font["post"].formatType = 3.0
    for tag in set(font.keys()) - KEPT_TABLES - {"GlyphOrder"}:
        del font[tag]
    font.save(target)
    return len(font.getGlyphOrder())


def main() -> None:
    """Reads the command line: the kind of font, where it comes from and where it goes."""
    parser = argparse.ArgumentParser(description="Build a font for the stamps and covers of copies.")
    parser.add_argument("kind", choices=("cjk", "latin"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    choice = parser.parse_args()
    if choice.kind == "cjk":
        build(choice.source, choice.target, CJK_FACE, None)
    else:
        build(choice.source, choice.target, -1, list(LATIN_GREEK_CYRILLIC))


if __name__ == "__main__":
    main()
