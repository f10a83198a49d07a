"""What of an open document its treatment depends on: signatures, an archival claim, repairs, protection."""

from __future__ import annotations

import re
from typing import Any

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
    return bool(archival_claim(metadata_of(pdf))["claimed"])


def metadata_of(pdf: pikepdf.Pdf) -> bytes:
    """The document's XMP metadata; b"" where there are none that can be read."""
    metadata = pdf.Root.get("/Metadata")
    try:
        return metadata.read_bytes() if isinstance(metadata, pikepdf.Stream) else b""
    except (pikepdf.PdfError, pikepdf.DataDecodingError):
        return b""


def archival_claim(xml: bytes) -> dict[str, Any]:
    """Part and conformance as the metadata claim them, in an element or an attribute (ISO 19005-1, 6.7.11)."""
    found: dict[str, Any] = {}
    for name, kind in ((b"part", rb"\d"), (b"conformance", rb"\w")):
        pattern = rb"pdfaid:%b(?:\s[^<>]*)?>\s*(%b)|pdfaid:%b\s*=\s*[\"'](%b)" % ((name, kind) * 2)
        value = re.search(pattern, xml)
        found[name.decode()] = (value[1] or value[2]).decode() if value else None
    return {**found, "claimed": b"pdfaid" in xml}
