"""Writes one reader's copy: open, sanitise, stamp, encrypt, save. Runs inside the sandbox."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Name

from drm.pdf.encrypting import SAVED_VERSION, lock_for, write_encrypted
from drm.pdf.opening import open_source
from drm.pdf.sanitise import sanitise
from drm.pdf.stamp import apply_stamp
from drm.pdf.values import CopySpec, Limits, Permissions

URN = "urn:rushlight:delivery:"


def write_copy(
    source: Path, out: Path, spec: CopySpec, limits: Limits, password: str | None, reader_password: str | None
) -> dict[str, Any]:
    """Write the copy to ``out`` and report what was done; PdfRefused where the file cannot be taken."""
    opened = open_source(source, limits, password)
    pdf = opened.pdf
    repaired = list(opened.repaired)
    if claims_pdfa(pdf):
        repaired.append("pdfa-claim")
    removed = sanitise(pdf)
    if any(kind.startswith("signature") for kind in removed):
        repaired.append("signature")
    report = apply_stamp(pdf, spec, source, password or "")
    _name_copy(pdf, spec)
    encrypted = spec.permissions.encrypt or bool(reader_password)
    if encrypted:
        with tempfile.TemporaryFile(dir=out.parent) as saved:
            _save(pdf, saved, SAVED_VERSION)
            write_encrypted(saved, out, lock_for(reader_password), spec.permissions)
    else:
        _save(pdf, out, "")
    return {
        "pages": report.pages + 1,
        "removed": list(removed),
        "repaired": repaired,
        "shown_name": report.shown_name,
        "name_fallback": report.name_fallback,
        "overlap": list(report.overlap),
        "encrypted": encrypted,
    }


def _save(pdf: pikepdf.Pdf, target: Path | BinaryIO, version: str | tuple[str, int]) -> None:
    """Save in clear, as a file of this version at least."""
    pdf.save(
        target,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        compress_streams=True,
        linearize=False,
        min_version=version,
        fix_metadata_version=False,
        encryption=False,
    )


def allowed(permissions: Permissions) -> pikepdf.Permissions:
    """The permissions that PDF readers are asked to keep. Reading aloud is always permitted."""
    return pikepdf.Permissions(
        accessibility=True,
        extract=permissions.copy_text,
        modify_annotation=True,
        modify_assembly=False,
        modify_form=False,
        modify_other=False,
        print_lowres=permissions.print in {"low", "full"},
        print_highres=permissions.print == "full",
    )


def claims_pdfa(pdf: pikepdf.Pdf) -> bool:
    """Whether the source calls itself PDF/A, a claim that an encrypted copy cannot keep."""
    metadata = pdf.Root.get("/Metadata")
    if not isinstance(metadata, pikepdf.Stream):
        return False
    try:
        return b"pdfaid" in metadata.read_bytes()
    except (pikepdf.PdfError, pikepdf.DataDecodingError):
        return False


def _name_copy(pdf: pikepdf.Pdf, spec: CopySpec) -> None:
    """Title, DOI and delivery in the metadata; never the reader's name, and nothing of the source's own metadata."""
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    if "/Metadata" in pdf.Root:
        del pdf.Root[Name.Metadata]
    title = spec.citation.title
    if title:
        pdf.docinfo["/Title"] = title
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        metadata["dc:identifier"] = f"{URN}{spec.delivery}"
        if title:
            metadata["dc:title"] = title
        if spec.citation.doi:
            metadata["dc:source"] = f"doi:{spec.citation.doi}"
