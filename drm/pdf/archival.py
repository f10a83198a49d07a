"""What an archival copy (PDF/A, ISO 19005) needs beside an opaque stamp: its metadata kept, and fonts with a list of glyphs."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont
from pikepdf import Name

from drm.pdf.facts import archival_claim, metadata_of
from drm.pdf.values import CopySpec, PdfRefused

KEPT = frozenset({"1", "2", "3"})
URN = "urn:rushlight:delivery:"


def keep_metadata(pdf: pikepdf.Pdf) -> bytes:
    """The document's metadata as it came; its claim stands in it. PdfRefused ``pdfa-policy`` for a claim that cannot be kept.

    PDF/A-4 has no document information and other rules for attachments, which copies do not follow.
    """
    data = metadata_of(pdf)
    if archival_claim(data)["part"] not in KEPT:
        raise PdfRefused("pdfa-policy", "The file shall stay PDF/A, and copies can be PDF/A-1, 2 and 3 only.")
    return data


def name_archival_copy(pdf: pikepdf.Pdf, metadata: bytes, spec: CopySpec) -> None:
    """Put the metadata back, with delivery, DOI and title added in known properties, and the same title in Info (19005-1, 6.7.3)."""
    stream = pdf.make_stream(metadata)
    stream.Type, stream.Subtype = Name.Metadata, Name.XML
    pdf.Root.Metadata = stream
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        xmp["dc:identifier"] = f"{URN}{spec.delivery}"
        if spec.citation.doi:
            xmp["dc:source"] = f"doi:{spec.citation.doi}"
        if spec.citation.title:
            xmp["dc:title"] = spec.citation.title
    if spec.citation.title:
        pdf.docinfo["/Title"] = spec.citation.title


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
