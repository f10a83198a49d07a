"""Writes one reader's copy: open, sanitise, stamp, encrypt, save. Runs inside the sandbox."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Name

from drm.pdf.archival import keep_metadata, name_archival_copy
from drm.pdf.encrypting import SAVED_VERSION, lock_for, write_encrypted
from drm.pdf.facts import claims_pdfa, facts_of
from drm.pdf.opening import Opened, open_source
from drm.pdf.policy import Policy, check_policy, told_on_cover
from drm.pdf.sanitise import sanitise
from drm.pdf.saving import save_clear
from drm.pdf.stamp import apply_stamp
from drm.pdf.values import CopySpec, Limits, Permissions
from drm.pdf.xmp import packet

URN = "urn:rushlight:delivery:"


def write_copy(
    source: Path,
    out: Path,
    spec: CopySpec,
    limits: Limits,
    password: str | None,
    reader_password: str | None,
    policy: Policy = Policy(),
) -> dict[str, Any]:
    """Write the copy to ``out`` and report what was done; PdfRefused where the file or the policy does not permit it."""
    opened = open_source(source, limits, password)
    pdf = opened.pdf
    if reader_password:
        spec = replace(spec, permissions=replace(spec.permissions, encrypt=True))
    archival = policy.pdfa == "keep" and claims_pdfa(pdf)
    metadata = keep_metadata(pdf) if archival else b""
    repaired, removed = clean(opened, policy, encrypted=spec.permissions.encrypt)
    spec = told_on_cover(spec, repaired)
    report = apply_stamp(pdf, spec, source, password or "", opaque=archival, limits=limits)
    if archival:
        from drm.pdf.archival_fonts import finish_fonts

        name_archival_copy(pdf, metadata, spec)
        finish_fonts(pdf, pdf.pages[0].Resources.Font)
    else:
        _name_copy(pdf, spec)
    if spec.permissions.encrypt:
        with tempfile.TemporaryFile(dir=out.parent) as saved:
            save_clear(pdf, saved, SAVED_VERSION, folder=out.parent)
            write_encrypted(saved, out, lock_for(reader_password), spec.permissions)
    else:
        # PDF/A-1 has neither object streams nor cross-reference streams.
        save_clear(pdf, out, "", folder=out.parent, packed=not archival)
    return {
        "pages": report.pages + 1,
        "removed": list(removed),
        "repaired": repaired,
        "shown_name": report.shown_name,
        "name_fallback": report.name_fallback,
        "overlap": list(report.overlap),
        "encrypted": spec.permissions.encrypt,
    }


def clean(opened: Opened, policy: Policy, *, encrypted: bool) -> tuple[list[str], tuple[str, ...]]:
    """Sanitise an open document where the policy takes it: what was changed about it, and what was removed."""
    repaired = list(opened.repaired)
    facts = facts_of(opened.pdf, "structure" in repaired)
    check_policy(facts, policy, encrypted=encrypted)
    if facts.archival:
        repaired.append("pdfa-kept" if policy.pdfa == "keep" else "pdfa-claim")
    if facts.signed:
        repaired.append("signature")
    return repaired, sanitise(opened.pdf)


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


def _name_copy(pdf: pikepdf.Pdf, spec: CopySpec) -> None:
    """Title, DOI and delivery in the metadata; never the reader's name, and nothing of the source's own metadata."""
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    title = spec.citation.title
    if title:
        pdf.docinfo["/Title"] = title
    doi = spec.citation.doi
    metadata = pdf.make_stream(packet(f"{URN}{spec.delivery}", title, f"doi:{doi}" if doi else ""))
    metadata.Type, metadata.Subtype = Name.Metadata, Name.XML
    pdf.Root.Metadata = metadata
