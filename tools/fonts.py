"""Builds the fonts of ``drm/pdf/fonts/`` from the Noto families; run by hand when a family has a new release.

    python tools/fonts.py cjk NotoSansCJK-Regular.ttc drm/pdf/fonts/NotoSansCJKsc-Regular.ttf
    python tools/fonts.py latin NotoSans-Regular.ttf drm/pdf/fonts/NotoSans-Regular.ttf
    python tools/fonts.py plain NotoSans-Regular.ttf drm/pdf/fonts/NotoSans-Plain.json
    python tools/fonts.py letters NotoSans-Regular.ttf drm/pdf/fonts/NotoSans-Letters.json

Debian's ``fonts-noto-cjk`` and ``fonts-noto-core`` hold the sources, all under the SIL Open Font License 1.1; they
declare no reserved font name. The first two results have plain TrueType outlines without hints and one cmap of format
12, which is all that ``drm/pdf/fonts.py`` reads. The third has the characters of code page 1252 as Type 2
charstrings, which ``drm/pdf/plain_font.py`` puts together, the fourth the letters of European and Vietnamese names that
this code page lacks, for ``drm/pdf/letter_font.py``. The CJK face takes about two minutes.

Outlines are drawn on a coarse grid, because each copy carries some of them: 400 units to the em for Chinese, 320 for
charstrings. At 10 points that moves no point of an outline by more than a fiftieth of a point.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.agl import UV2AGL
from fontTools.cffLib import cffStandardStrings
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.qu2cuPen import Qu2CuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
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

LETTERS = (
    *range(0x0100, 0x0180),
    *range(0x01CD, 0x01DD),
    *range(0x01E6, 0x01EC),
    *range(0x0218, 0x021C),
    *range(0x1EA0, 0x1EFA),
    *range(0x0386, 0x03CF),
    *range(0x0400, 0x0460),
    *(0x018F, 0x01A0, 0x01A1, 0x01AF, 0x01B0, 0x0259, 0x0490, 0x0491, 0x1E9E),
)
"""Letters of names in Latin, Greek and Cyrillic script."""

CJK_UNITS, PLAIN_UNITS = 400, 320
"""Units to the em of the results. Fewer make outlines smaller: deltas fit in a byte, and repeat."""

CURVE_ERROR = 1.2
"""Largest distance in units of the result between an outline and the one of other curves that replaces it."""

KEPT_TABLES = {"cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "OS/2", "post"}


def reduced(font: TTFont, characters: list[int]) -> None:
    """Keeps the glyphs of these characters and drops hints, layout rules and unencoded alternates."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], drop_tables=[])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)


def to_truetype(font: TTFont) -> None:
    """Replaces cubic (CFF) outlines by quadratic ones on a coarser grid."""
    outlines, order = font.getGlyphSet(), font.getGlyphOrder()
    scale = CJK_UNITS / font["head"].unitsPerEm
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(outlines)
        quadratic = Cu2QuPen(pen, CURVE_ERROR, reverse_direction=True)
        outlines[name].draw(TransformPen(quadratic, (scale, 0, 0, scale, 0, 0)))
        glyphs[name] = pen.glyph(dropImpliedOnCurves=True)
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
    rescale_measures(font, scale)
    font.sfntVersion = "\x00\x01\x00\x00"


def rescale_measures(font: TTFont, scale: float) -> None:
    """Brings widths and heights to the grid that the outlines are on already."""
    font["head"].unitsPerEm = CJK_UNITS
    font["hhea"].ascent, font["hhea"].descent = (
        round(scale * font["hhea"].ascent),
        round(scale * font["hhea"].descent),
    )
    for name, (advance, _) in font["hmtx"].metrics.items():
        glyph = font["glyf"].glyphs[name]
        left = glyph.xMin if glyph.numberOfContours else 0
        font["hmtx"].metrics[name] = (round(scale * advance), left)


def plain_characters() -> list[str]:
    """The characters of code page 1252 whose glyphs have standard names."""
    codes = (*range(0x20, 0x7F), *range(0x80, 0x100))
    found = [bytes([code]).decode("cp1252", "ignore") for code in codes]
    return [one for one in found if one and one not in "\u00a0\u00ad" and UV2AGL.get(ord(one)) in cffStandardStrings]


def build_charstrings(source: Path, target: Path, characters: list[str]) -> int:
    """Writes characters with the SID of the glyph name, or 0, the width in thousandths, and the charstring."""
    font = TTFont(source)
    outlines, cmap, units = font.getGlyphSet(), font.getBestCmap(), font["head"].unitsPerEm
    scale = PLAIN_UNITS / units
    glyphs: dict[str, Any] = {}
    for character in characters:
        if ord(character) not in cmap:
            continue
        name = UV2AGL.get(ord(character))
        sid = cffStandardStrings.index(name) if name in cffStandardStrings else 0
        pen = T2CharStringPen(None, outlines)
        cubic = Qu2CuPen(pen, CURVE_ERROR, all_cubic=True)
        # an accented letter refers to its parts, which would reach the last pen as they are: they are taken apart before
        drawn = DecomposingRecordingPen(outlines)
        outlines[cmap[ord(character)]].draw(drawn)
        drawn.replay(TransformPen(cubic, (scale, 0, 0, scale, 0, 0)))
        charstring = pen.getCharString(optimize=True)
        charstring.compile()
        width = round(font["hmtx"][cmap[ord(character)]][0] * 1000 / units)
        glyphs[character] = [sid, width, charstring.bytecode.hex()]
    head, hhea = font["head"], font["hhea"]
    measures = [head.xMin, head.yMin, head.xMax, head.yMax, hhea.ascent, hhea.descent]
    content = {"units": PLAIN_UNITS, "measures": [round(one * 1000 / units) for one in measures], "glyphs": glyphs}
    text = json.dumps(content, ensure_ascii=False).replace("], ", "],\n")
    target.write_text(text + "\n", encoding="utf-8")
    return len(glyphs)


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
    parser.add_argument("kind", choices=("cjk", "latin", "plain", "letters"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    choice = parser.parse_args()
    if choice.kind == "cjk":
        build(choice.source, choice.target, CJK_FACE, None)
    elif choice.kind == "plain":
        build_charstrings(choice.source, choice.target, plain_characters())
    elif choice.kind == "letters":
        build_charstrings(choice.source, choice.target, [chr(code) for code in LETTERS])
    else:
        build(choice.source, choice.target, -1, list(LATIN_GREEK_CYRILLIC))


if __name__ == "__main__":
    main()
