"""What PDF/A asks of the fonts of our stamp.

Loaded where such a copy is written and in the sandbox's server: fontTools takes a tenth of a second of a process's start.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont


def finish_fonts(pdf: pikepdf.Pdf, fonts: pikepdf.Object) -> None:
    """Give our own subsets of Type 1 fonts what PDF/A asks of them: a name for each glyph of the file in /CharSet (19005-1, 6.3.5), and
    in the file exactly the widths of the PDF (6.3.6), which elsewhere are rounded to the grid of its outlines.

    Our other subsets are simple symbolic TrueType fonts, of which no such list is asked and whose widths are exact.
    """
    for font in fonts.values():
        descriptor = font.FontDescriptor
        if "/FontFile3" not in descriptor:
            continue
        program = CFFFontSet()
        program.decompile(io.BytesIO(descriptor.FontFile3.read_bytes()), None)
        names = [name for name in program[0].charset if name != ".notdef"]
        descriptor.CharSet = pikepdf.String("".join(f"/{name}" for name in names))
        widths = [int(width) for width in font.Widths if int(width)]  # of the codes in use, whose order the glyphs have
        descriptor.FontFile3.write(_with_widths(program, dict(zip(names, widths, strict=True))))


def _with_widths(program: CFFFontSet, widths: Mapping[str, int]) -> bytes:
    """The font's file with these widths. Its grid becomes one of thousandths of an em, on which they are whole numbers: some
    readers leave out fractions."""
    top, file = program[0], io.BytesIO()
    scale = 1000 * top.FontMatrix[0]
    top.FontMatrix, top.FontBBox = [0.001, 0, 0, 0.001, 0, 0], [round(scale * edge) for edge in top.FontBBox]
    top.Private.nominalWidthX = 0
    for name, width in widths.items():
        pen = T2CharStringPen(width, None)
        top.CharStrings[name].draw(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
        top.CharStrings[name] = pen.getCharString(top.Private)
    program.compile(file, TTFont(recalcBBoxes=False))
    return file.getvalue()
