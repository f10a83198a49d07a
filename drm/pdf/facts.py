"""What of an open document its treatment depends on: signatures, an archival claim, repairs, protection."""

from __future__ import annotations

import pikepdf

from drm.pdf.policy import FileFacts
from drm.pdf.walking import Walk


def facts_of(pdf: pikepdf.Pdf, repaired: bool) -> FileFacts:
    """The facts of an open document."""
    return FileFacts(is_signed(pdf), claims_pdfa(pdf), repaired, pdf.is_encrypted)


def is_signed(pdf: pikepdf.Pdf) -> bool:
    """Whether the document holds a digital signature, of the publisher or of usage rights (ISO 32000-2, 12.8)."""
    if "/AcroForm" not in pdf.Root and "/Perms" not in pdf.Root:
        return False
    return count_signatures(pdf) > 0


def count_signatures(pdf: pikepdf.Pdf) -> int:
    """How many signatures the document holds."""
    return sum("/ByteRange" in holder for holder, _ in Walk(pdf))


def claims_pdfa(pdf: pikepdf.Pdf) -> bool:
    """Whether the document calls itself PDF/A (ISO 19005)."""
    metadata = pdf.Root.get("/Metadata")
    if not isinstance(metadata, pikepdf.Stream):
        return False
    try:
        return b"pdfaid" in metadata.read_bytes()
    except (pikepdf.PdfError, pikepdf.DataDecodingError):
        return False
