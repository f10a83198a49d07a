"""What names in Han would cost as Type 3 fonts, against the TrueType subset that tails carry: python -m tools.type3_cost."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

from drm.pdf.embedding import CODES, to_unicode
from drm.pdf.fonts import CJK, FOLDER, FontFile, font_file
from drm.pdf.glyphs import Subset
from drm.pdf.tail.embedding import DEFLATED, write_font
from drm.pdf.tail.writing import TailWriter, packed, sealing

COMMON = (
    "王小明李伟张芳刘洋陈静杨磊黄敏赵军周勇吴丽徐强孙艳马超朱红胡平郭鹏何林高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕"
    "魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
)
NAMES, TURNS, ROW = 100, 3, 4
"""``ROW`` is what an object takes in the index."""


class Operators(BasePen):  # type: ignore[misc, unused-ignore]
    """Draws an outline as path operators; quadratic curves become cubic ones."""

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.parts: list[str] = []

    def _moveTo(self, pt: Any) -> None:
        self.parts.append("{} {} m".format(*pt))

    def _lineTo(self, pt: Any) -> None:
        self.parts.append("{} {} l".format(*pt))

    def _curveToOne(self, pt1: Any, pt2: Any, pt3: Any) -> None:
        self.parts.append(" ".join(str(round(one)) for point in (pt1, pt2, pt3) for one in point) + " c")

    def _closePath(self) -> None:
        self.parts.append("h")


def procedures(text: str) -> dict[str, tuple[bytes, int]]:
    """The procedure of each character, deflated, and its width (ISO 32000-2, 9.6.4)."""
    font, found = TTFont(FOLDER / f"{CJK}.ttf"), {}
    glyphs, cmap = font.getGlyphSet(), font.getBestCmap()
    for character in text:
        outline, pen = font["glyf"][cmap[ord(character)]], Operators(glyphs)
        width = glyphs[cmap[ord(character)]].width
        glyphs[cmap[ord(character)]].draw(pen)
        box = (outline.xMin, outline.yMin, outline.xMax, outline.yMax)
        drawn = "{} 0 {} {} {} {} d1 ".format(width, *box) + " ".join(pen.parts) + " f"
        deflate = zlib.compressobj(9, zlib.DEFLATED, 12, 9)
        found[character] = (deflate.compress(drawn.replace(" h f", " f").encode()) + deflate.flush(), width)
    return found


def write_type3(writer: TailWriter, text: str, known: dict[str, tuple[bytes, int]]) -> None:
    """A Type 3 font with these characters."""
    names, drawn = [], []
    for index, character in enumerate(text):
        number = writer.stream(writer.number(), DEFLATED, known[character][0])
        names.append(b"/%x" % index)
        drawn.append(b"/%x %d 0 R" % (index, number))
    meaning = writer.stream(writer.number(), DEFLATED, packed(to_unicode(dict(zip(text, CODES, strict=False)))))
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 -100 400 400]/FontMatrix[.0025 0 0 .0025 0 0]/FirstChar 42/LastChar %d"
    )
    font += b"/Widths[%s]/Encoding<</Differences[42%s]>>/CharProcs<<%s>>/ToUnicode %d 0 R>>"
    widths = b" ".join(b"%d" % known[character][1] for character in text)
    parts = (CODES[len(text) - 1], widths, b"".join(names), b"".join(drawn), meaning)
    writer.add(writer.number(), font % parts)


def write_truetype(writer: TailWriter, text: str) -> None:
    """The font that a tail carries for these characters."""
    font = font_file(CJK)
    assert isinstance(font, FontFile)
    subset = Subset(font)
    for character in text:
        subset.takes(character)
    write_font(writer, subset)


def measured(write: Callable[[TailWriter, str], None], texts: list[str]) -> str:
    """Median and most bytes, and median processor milliseconds, when all has been written once before."""
    sizes, times = [], []
    for turn in range(TURNS + 1):
        for text in texts:
            writer = TailWriter(0, 50, sealing(bytes(32), bytes(32), b""))
            start = time.process_time_ns()
            write(writer, text)
            if turn:
                times.append((time.process_time_ns() - start) / 1e6)
                sizes.append(writer.length + ROW * len(writer.entries))
    return f"{median(sizes):.0f} bytes, at most {max(sizes)}; {median(times):.2f} ms"


def main() -> None:
    """Prints both kinds for names of 3 to 32 characters."""
    chance = random.Random(3)
    block = [chr(code) for code in range(0x4E00, 0x9FA6) if font_file(CJK).glyph(chr(code))]
    for count, pool in ((3, list(COMMON)), (24, list(COMMON)), (32, list(COMMON)), (32, block)):
        texts = ["".join(chance.sample(pool, count)) for _ in range(NAMES)]
        known = procedures("".join(sorted(set("".join(texts)))))
        of = "common names" if pool != block else "the first block"
        print(f"{count} of {of}, Type 3:", measured(partial(write_type3, known=known), texts))
        print(f"{count} of {of}, TrueType:", measured(write_truetype, texts))


if __name__ == "__main__":
    main()
