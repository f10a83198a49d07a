"""Small documents and specs for the tests, and ways to look at a stamped result."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pikepdf
import pypdfium2
from fontTools.cffLib import CFFFontSet
from fontTools.pens.basePen import NullPen
from pikepdf import Array, Dictionary, Name, Object

from drm.pdf.stamp import apply_stamp
from drm.pdf.values import CopySpec, CoverCitation, StampReport

A4 = (595, 842)
SPEC = CopySpec(
    delivery="RL-7Q4M-2K9D",
    library="Marram University Library",
    issued_on=date(2026, 11, 24),
    reader="Niamh Okonkwo",
    citation=CoverCitation("Night recharge", "H. Okafor", "Journal of Lowland Hydrology 18(3)", "10.5555/jlh.211"),
    terms=("For your private study only.",),
    notices=("© 2024 the authors.",),
    legends=("No further copies.",),
)


def spec(**changes: object) -> CopySpec:
    return replace(SPEC, **changes)  # type: ignore[arg-type]  # the tests name fields of CopySpec


def text_at(x: float, y: float, text: str, size: float = 10) -> bytes:
    return b"BT /F1 %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET\n" % (size, x, y, text.encode("latin-1"))


def document(*contents: bytes, size: tuple[float, float] = A4, **page_entries: Any) -> pikepdf.Pdf:
    """A document with one page for each content; /F1 is Helvetica."""
    pdf = pikepdf.new()
    font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for content in contents or (b"",):
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, *size]),
            Contents=pdf.make_stream(content),
            Resources=Dictionary(Font=Dictionary(F1=font)),
        )
        for key, value in page_entries.items():
            page[f"/{key}"] = value
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    return pdf


def saved(pdf: pikepdf.Pdf) -> bytes:
    buffer = io.BytesIO()
    pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()


def stamped(source: pikepdf.Pdf | bytes, wanted: CopySpec = SPEC) -> tuple[bytes, StampReport]:
    data = source if isinstance(source, bytes) else saved(source)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        report = apply_stamp(pdf, wanted, data)
        return saved(pdf), report


def texts(data: bytes) -> list[str]:
    """The text of each page as pdfium reads it, lines joined by spaces."""
    document = pypdfium2.PdfDocument(data)
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]


def rendered(data: bytes, index: int, width: int = 300) -> tuple[int, int, bytes]:
    """One page as the reader sees it: width, height and rows of grey pixels, ``width`` pixels wide."""
    page = pypdfium2.PdfDocument(data)[index]
    bitmap = page.render(scale=width / page.get_width(), grayscale=True)
    pixels = bytes(bitmap.buffer)
    rows = (pixels[row * bitmap.stride : row * bitmap.stride + bitmap.width] for row in range(bitmap.height))
    return bitmap.width, bitmap.height, b"".join(rows)


def place_of(data: bytes, index: int, text: str) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of the last occurrence of a text on a page, in points as pdfium counts them."""
    textpage = pypdfium2.PdfDocument(data)[index].get_textpage()
    start = textpage.get_text_range().rindex(text)
    boxes = [textpage.get_charbox(number) for number in range(start, start + len(text))]
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def widths(font: Object) -> list[tuple[float, float]]:
    """The width of each glyph in an embedded Type 1 font's own file and in the document, in thousandths of an em."""
    program = CFFFontSet()
    program.decompile(io.BytesIO(font.FontDescriptor.FontFile3.read_bytes()), None)
    top, told = program[0], []
    for name in top.charset[1:]:
        top.CharStrings[name].draw(NullPen())
        told.append(top.CharStrings[name].width * top.FontMatrix[0] * 1000)
    return list(zip(told, [float(width) for width in font.Widths if width], strict=True))
