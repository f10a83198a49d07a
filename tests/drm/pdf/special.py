"""Signed, archival, tagged and protected documents for the tests."""

from __future__ import annotations

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, String

from tests.drm.pdf.active import annotate, plain
from tests.drm.pdf_drawing.samples import saved


def signed() -> bytes:
    """A document with a visible signature of its publisher."""
    pdf = plain()
    looks = pdf.make_stream(b"BT /F1 9 Tf 5 5 Td (Signed by the publisher) Tj ET")
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    looks.Type, looks.Subtype, looks.BBox = Name.XObject, Name.Form, Array([0, 0, 200, 20])
    looks.Resources = Dictionary(Font=Dictionary(F1=font))
    value = Dictionary(
        Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), ByteRange=Array([0, 1, 2, 3]), Contents=String("x")
    )
    field = pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String("s"), V=value, F=4, AP=Dictionary(N=looks),
                   Rect=Array([72, 72, 272, 92]))
    )  # fmt: skip
    annotate(pdf, field)
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)
    return saved(pdf)


def archival(part: str = "2", level: str = "B") -> bytes:
    """A document that calls itself PDF/A."""
    pdf = plain()
    with pdf.open_metadata() as metadata:
        metadata["pdfaid:part"] = part
        metadata["pdfaid:conformance"] = level
    return saved(pdf)


def with_attachment() -> bytes:
    """A document with a file attached to it."""
    pdf = plain()
    pdf.attachments["data.csv"] = b"1,2,3"
    return saved(pdf)


def undisplayed_layer(pdf: pikepdf.Pdf) -> Object:
    """One layer that is not shown at first."""
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Answers")))
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))
    return layer
