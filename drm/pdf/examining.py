"""The report on a file. Runs inside the sandbox."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from pikepdf import Array, Dictionary, Name

from drm.pdf.facts import archival_claim, count_signatures, metadata_of
from drm.pdf.geometry import view_of
from drm.pdf.hashing import sha256_of
from drm.pdf.inspecting import FIELDS
from drm.pdf.notes import notes_of
from drm.pdf.opening import Opened, count_words, open_source, translated
from drm.pdf.passwords import open_by_pdfium
from drm.pdf.sanitise import count_active
from drm.pdf.values import Limits, PdfRefused
from drm.pdf.walking import Walk

DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>()]{1,120}")
SIGNS = (b"%%EOF", b"/ObjStm", b"/XRefStm")
PIECE = 1024 * 1024
TEXT_SECONDS = 8.0
"""Processor time for counting pages with text, of the 30 seconds that a child has."""

OUTSIDE = ("external data", "reference", "DestOutputProfileRef", "action GoToR", "action GoToE", "action Launch")
OUTSIDE_FORMS = ("action SubmitForm", "action ImportData")
NOT_ACTIVE = ("AcroForm", "annotation Widget")
"""What is taken out of a copy though it does nothing by itself; the report has fields of its own for it."""

KEPT_BYTES = 32 * 1024 * 1024
"""How much of a file, as an average of its pages, pdfium may read before its document is opened anew."""

MOST_NAMES = 100


def examine(path: Path, limits: Limits, password: str | None) -> dict[str, Any]:
    """All fields are always there; what is unknown is None. A file that we would refuse has its code in ``verdict``.

    The file is read in pieces: its size costs time and no memory.
    """
    report: dict[str, Any] = dict.fromkeys(FIELDS)
    report["bytes"] = path.stat().st_size
    report["verdict"] = {"ok": True, "code": None, "text": None}
    report["warnings"], report["notes"] = [], []
    signs: Counter[bytes] = Counter()
    if report["bytes"] <= limits.source_bytes:
        report["sha256"] = sha256_of(path)
        signs = count_words(path, SIGNS)
        report["revisions"] = signs[b"%%EOF"] or None
    try:
        with translated():
            _fill(report, path, signs, limits, password)
    except PdfRefused as refusal:
        report["verdict"] = {"ok": False, "code": refusal.code, "text": refusal.text}
        if refusal.code == "password-required":
            report["encryption"] = {"state": "password-required", "revision": None, "restrictions": None}
    return report


def _fill(report: dict[str, Any], path: Path, signs: Counter[bytes], limits: Limits, password: str | None) -> None:
    opened = open_source(path, limits, password)
    pdf, root = opened.pdf, opened.pdf.Root
    form = root.get("/AcroForm")
    xml = metadata_of(pdf)
    active = count_active(pdf)
    attachments = _attachments(pdf)
    report |= {
        "version": _version(pdf),
        "pages": len(pdf.pages),
        "revisions": max(1, signs[b"%%EOF"] - (1 if pdf.is_linearized else 0)),
        "linearized": pdf.is_linearized,
        "object_streams": bool(signs[b"/ObjStm"]),
        "hybrid": bool(signs[b"/XRefStm"]),
        "encryption": _encryption(opened, path),
        "page_groups": _groups(pdf),
        "labels": "/PageLabels" in root,
        "outline": "/Outlines" in root,
        "tagged": "/StructTreeRoot" in root,
        "pdfa": archival_claim(xml),
        "pdfua": b"pdfuaid" in xml,
        "signatures": count_signatures(pdf),
        "acroform": form is not None,
        "xfa": isinstance(form, Dictionary) and "/XFA" in form,
        "active": [{"kind": kind, "count": active[kind]} for kind in sorted(active) if kind not in NOT_ACTIVE],
        "embedded_files": len(attachments),
        "attachments": attachments[:MOST_NAMES],
        "external_refs": sum(active[kind] for kind in (*OUTSIDE, *OUTSIDE_FORMS)),
        "title": _title(pdf),
        "warnings": sorted({*opened.repaired, *(["hidden-layers"] if _has_hidden_layers(root) else [])}),
    }
    report["notes"] = _notes(report, active)
    report |= _text(path, password)
    words = report.pop("words", "")
    doi = DOI.search(xml.decode("utf-8", "replace")) or DOI.search(_information(pdf)) or DOI.search(words)
    report["doi_seen"] = doi[0].rstrip(".,;").lower() if doi else None


def _notes(report: dict[str, Any], active: Counter[str]) -> list[str]:
    """What will be done to the file by the usual policy."""
    removed = [kind for kind in active if kind not in NOT_ACTIVE] + ["form"] * report["acroform"]
    repaired = [what for what in ("structure", "encryption", "hidden-layers") if what in report["warnings"]]
    repaired += ["pdfa-claim"] * report["pdfa"]["claimed"] + ["signature"] * bool(report["signatures"])
    return list(notes_of(removed, repaired))


def _version(pdf: pikepdf.Pdf) -> str:
    """The version in the head of the file, or a later one in the catalogue (ISO 32000-2, 7.7.2)."""
    own = pdf.Root.get("/Version")
    later = own.unparse().decode("ascii")[1:] if isinstance(own, Name) else ""
    return max(pdf.pdf_version, later) if re.fullmatch(r"\d\.\d", later) else pdf.pdf_version


def _encryption(opened: Opened, path: Path) -> dict[str, Any]:
    if opened.encryption == "none":
        return {"state": "none", "revision": None, "restrictions": []}
    state = "empty-password"
    if opened.encryption == "password":
        try:
            pikepdf.open(path, suppress_warnings=True).close()
        except pikepdf.PasswordError:
            state = "password-required"
    allow = opened.pdf.allow._asdict()
    return {
        "state": state,
        "revision": opened.revision,
        "restrictions": sorted(name for name in allow if not allow[name]),
    }


def _information(pdf: pikepdf.Pdf) -> str:
    """All texts of the information dictionary."""
    info = pdf.trailer.get("/Info")
    values = list(info.values()) if isinstance(info, Dictionary) else []
    return "\n".join(str(value) for value in values if isinstance(value, pikepdf.String))


def _title(pdf: pikepdf.Pdf) -> str | None:
    info = pdf.trailer.get("/Info")
    title = info.get("/Title") if isinstance(info, Dictionary) else None
    return (str(title).strip() or None) if isinstance(title, pikepdf.String) else None


def _groups(pdf: pikepdf.Pdf) -> list[dict[str, Any]]:
    counts: Counter[tuple[float, float, int, float]] = Counter()
    for page in pdf.pages:
        view = view_of(page.obj)
        counts[round(view.width, 2), round(view.height, 2), view.rotate, view.unit] += 1
    return [
        {"w": w, "h": h, "rotate": rotate, "userunit": unit, "count": count}
        for (w, h, rotate, unit), count in counts.items()
    ]


def _attachments(pdf: pikepdf.Pdf) -> list[str]:
    """The names of all embedded files, wherever they hang; "" for one without a name."""
    found = []
    for holder, _ in Walk(pdf):
        if isinstance(holder.get("/EF"), Dictionary):
            name = next((holder[key] for key in ("/UF", "/F") if isinstance(holder.get(key), pikepdf.String)), "")
            found.append(str(name))
    return found


def _has_hidden_layers(root: pikepdf.Object) -> bool:
    layers = root.get("/OCProperties")
    usual = layers.get("/D") if isinstance(layers, Dictionary) else None
    if not isinstance(usual, Dictionary):
        return False
    off = usual.get("/OFF")
    return usual.get("/BaseState") == Name.OFF or (isinstance(off, Array) and len(off) > 0)


def _text(path: Path, password: str | None) -> dict[str, Any]:
    """How many pages have text and how many are pictures only, and the words of the first.

    None for both where counting would take too long.
    """
    unknown = {"text_pages": None, "image_only_pages": None}
    end, pages, with_text, words = time.process_time() + TEXT_SECONDS, 0, 0, ""
    try:
        for count, text in _page_texts(path, password):
            if time.process_time() > end:
                return {**unknown, "words": words}
            pages, with_text, words = pages + 1, with_text + (count > 0), words or text
        return {"text_pages": with_text, "image_only_pages": pages - with_text, "words": words}
    except pypdfium2.PdfiumError:
        return {**unknown, "words": words}


def _page_texts(path: Path, password: str | None) -> Iterator[tuple[int, str]]:
    """The number of characters on each page, and the words of the first. PdfiumError where there is no telling.

    A document of pdfium keeps every picture that it has met, so that it is opened anew after some megabytes.
    """
    size, number, pages = path.stat().st_size, 0, 1
    while number < pages:
        document = open_by_pdfium(path, password)
        try:
            pages = len(document)
            stop = min(pages, number + max(1, pages * KEPT_BYTES // size))
            while number < stop:
                page = document[number]
                text = page.get_textpage()
                yield text.count_chars(), "" if number else text.get_text_bounded()
                text.close()
                page.close()
                number += 1
        finally:
            document.close()
