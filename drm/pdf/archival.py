"""What an archival copy (PDF/A, ISO 19005) needs beside an opaque stamp and its fonts: the document's metadata, kept."""

from __future__ import annotations

import pikepdf
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
