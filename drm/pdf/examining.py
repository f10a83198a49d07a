"""The report on a file. Runs inside the sandbox."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name

from drm.pdf.geometry import view_of
from drm.pdf.opening import open_source, translated
from drm.pdf.sanitise import find_active
from drm.pdf.values import Limits, PdfRefused

DOI = re.compile(rb"10\.\d{4,9}/[^\s\"<>()]{1,120}")
TEXT_PAGES_LOOKED_AT = 100
FIELDS = [
    "sha256",
    "bytes",
    "version",
    "pages",
    "revisions",
    "linearized",
    "object_streams",
    "hybrid",
    "encryption",
    "page_groups",
    "labels",
    "outline",
    "tagged",
    "pdfa",
    "pdfua",
    "signatures",
    "acroform",
    "xfa",
    "active",
    "embedded_files",
    "external_refs",
    "text_pages",
    "image_only_pages",
    "title",
    "doi_seen",
    "warnings",
    "verdict",
    "engine_advice",
]


def examine(path: Path, limits: Limits, password: str | None) -> dict[str, Any]:
    """All fields are always there; what is unknown is None. A file that we would refuse has its code in ``verdict``."""
    data = path.read_bytes() if path.stat().st_size <= limits.source_bytes else b""
    report: dict[str, Any] = dict.fromkeys(FIELDS)
    report["bytes"] = path.stat().st_size
    report["sha256"] = hashlib.sha256(data).hexdigest() if data or not report["bytes"] else None
    report["revisions"] = data.count(b"%%EOF") or None
    report["verdict"] = {"ok": True, "code": None, "text": None}
    report["warnings"] = []
    try:
        with translated():
            _fill(report, path, data, limits, password)
    except PdfRefused as refusal:
        report["verdict"] = {"ok": False, "code": refusal.code, "text": refusal.text}
        if refusal.code == "password-required":
            report["encryption"] = {"state": "password-required", "revision": None}
    return report


def _fill(report: dict[str, Any], path: Path, data: bytes, limits: Limits, password: str | None) -> None:
    opened = open_source(path, limits, password)
    pdf, root = opened.pdf, opened.pdf.Root
    form = root.get("/AcroForm")
    xml = _metadata(root)
    part, level = re.search(rb"pdfaid:part[>=\"'\s]+(\d)", xml), re.search(rb"pdfaid:conformance[>=\"'\s]+(\w)", xml)
    doi = DOI.search(data)
    report |= {
        "version": pdf.pdf_version,
        "pages": len(pdf.pages),
        "linearized": pdf.is_linearized,
        "object_streams": b"/ObjStm" in data,
        "hybrid": b"/XRefStm" in data,
        "encryption": {
            "state": "empty-password" if opened.encryption == "empty-password" else "none",
            "revision": opened.revision,
        },
        "page_groups": _groups(pdf),
        "labels": "/PageLabels" in root,
        "outline": "/Outlines" in root,
        "tagged": "/StructTreeRoot" in root,
        "pdfa": {
            "part": part[1].decode() if part else None,
            "conformance": level[1].decode() if level else None,
            "claimed": bool(part),
        },
        "pdfua": b"pdfuaid:part" in xml,
        "signatures": data.count(b"/ByteRange"),
        "acroform": form is not None,
        "xfa": isinstance(form, Dictionary) and "/XFA" in form,
        "active": [{"kind": kind, "count": 1} for kind in find_active(pdf)],
        "embedded_files": _embedded(root),
        "external_refs": sum(1 for item in pdf.objects if isinstance(item, pikepdf.Stream) and "/F" in item),
        "title": str(pdf.docinfo.get("/Title", "")) or None,
        "doi_seen": doi[0].decode("latin-1").lower() if doi else None,
        "warnings": sorted(set(opened.repaired)),
        "engine_advice": "tail",
    }
    report |= _text(path, password)


def _metadata(root: pikepdf.Object) -> bytes:
    metadata = root.get("/Metadata")
    try:
        return metadata.read_bytes() if isinstance(metadata, pikepdf.Stream) else b""
    except (pikepdf.PdfError, pikepdf.DataDecodingError):
        return b""


def _groups(pdf: pikepdf.Pdf) -> list[dict[str, Any]]:
    counts: dict[tuple[float, float, int, float], int] = {}
    for page in pdf.pages:
        view = view_of(page.obj)
        key = (
            round(view.width, 2),
            round(view.height, 2),
            view.rotate,
            view.unit,
        )
        counts[key] = counts.get(key, 0) + 1
    return [
        {"w": w, "h": h, "rotate": rotate, "userunit": unit, "count": count}
        for (w, h, rotate, unit), count in counts.items()
    ]


def _embedded(root: pikepdf.Object) -> int:
    names = root.get("/Names")
    tree = names.get("/EmbeddedFiles") if isinstance(names, Dictionary) else None
    entries = tree.get(Name.Names) if isinstance(tree, Dictionary) else None
    return len(entries) // 2 if isinstance(entries, Array) else 0


def _text(path: Path, password: str | None) -> dict[str, Any]:
    """How many pages have text, and how many are pictures only; over the first hundred pages."""
    try:
        document = pypdfium2.PdfDocument(path, password=password or None)
    except pypdfium2.PdfiumError:
        return {"text_pages": None, "image_only_pages": None}
    pages = [
        document[number].get_textpage().count_chars() for number in range(min(TEXT_PAGES_LOOKED_AT, len(document)))
    ]
    document.close()
    return {"text_pages": sum(count > 0 for count in pages), "image_only_pages": sum(count == 0 for count in pages)}
