"""The peers: other ways of stamping each page of a document, with the same diagonal and the same footer.

They draw no cover, no legends, no code to scan, and write no metadata; they neither sanitise nor verify; and none asks the
disk to keep what it wrote. Ours does all of that, so that the comparison leans towards them.
"""

from __future__ import annotations

import functools
import io
import logging
import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name
from reportlab.pdfgen.canvas import Canvas

TEXT = "Maeve Byrne RL-2345-6789"
FOOTER = "Harbour University Library - delivery RL-2345-6789 - 24 November 2026 - for private study only"
OPACITY, SIZE = 0.25, 36
OWNER = "owner"
Make = Callable[[Path, Path], None]


@dataclass(frozen=True)
class Peer:
    """``make`` reads the first path and writes the second. ``missing`` says why it cannot run here."""

    name: str
    make: Make
    encrypts: bool
    missing: str = ""


def peers() -> list[Peer]:
    """All peers, those that are not here too."""
    no_mupdf = "" if peer_module("pymupdf") else "PyMuPDF is not installed (make bench installs it)"
    no_pypdf = "" if peer_module("pypdf") else "pypdf is not installed (make bench installs it)"
    no_qpdf = "" if shutil.which("qpdf") else "the command qpdf is not installed (Debian: qpdf)"
    return [
        Peer("pikepdf append", append, False),
        Peer("pikepdf append + AES", functools.partial(append, encrypt=True), True),
        Peer("pikepdf add_overlay", overlay, False),
        Peer("pikepdf add_overlay + AES", functools.partial(overlay, encrypt=True), True),
        Peer("PyMuPDF insert_text + AES", insert_text, True, no_mupdf),
        Peer("PyMuPDF show_pdf_page", show_page, False, no_mupdf),
        Peer("pypdf merge_page", merge_page, False, no_pypdf),
        Peer("pypdf merge_page + AES", functools.partial(merge_page, encrypt=True), True, no_pypdf),
        Peer("qpdf --overlay + AES", qpdf_overlay, True, no_qpdf),
    ]


def warm_peers() -> None:
    """Import what peers import when first called, so that no round pays for it."""
    for name in ("pymupdf", "pypdf"):
        peer_module(name)


@functools.cache
def peer_module(name: str) -> Any:
    """A library that only benchmarks know, None where it is not installed."""
    try:
        found = __import__(name)
    except ImportError:
        return None
    logging.getLogger(name).setLevel(logging.CRITICAL)
    return found


def _locked() -> pikepdf.Encryption:
    return pikepdf.Encryption(user="", owner=OWNER, R=6, allow=pikepdf.Permissions(modify_other=False))


def _content(width: float, height: float) -> bytes:
    cos = math.sqrt(0.5)
    return b"q /G gs BT /F %d Tf %.4f %.4f %.4f %.4f %.1f %.1f Tm (%b) Tj ET Q\nBT /F 7 Tf 20 12 Td (%b) Tj ET" % (
        SIZE,
        cos,
        cos,
        -cos,
        cos,
        width / 2 - 150,
        height / 2 - 150,
        TEXT.encode(),
        FOOTER.encode(),
    )


def append(source: Path, out: Path, encrypt: bool = False) -> None:
    """The fastest way we know with pikepdf: one form for each page size, two short streams around each page's content."""
    with pikepdf.open(source) as pdf:
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        resources = pdf.make_indirect(
            Dictionary(Font=Dictionary(F=font), ExtGState=Dictionary(G=Dictionary(ca=OPACITY)))
        )
        before, after = pdf.make_stream(b"q\n"), pdf.make_stream(b"\nQ q /Stamp Do Q")
        forms: dict[tuple[float, ...], pikepdf.Object] = {}
        for page in pdf.pages:
            box = tuple(float(side) for side in page.mediabox)
            if box not in forms:
                form = pdf.make_stream(_content(box[2], box[3]))
                form.Type, form.Subtype, form.BBox, form.Resources = Name.XObject, Name.Form, Array(box), resources
                forms[box] = form
            page.add_resource(forms[box], Name.XObject, Name.Stamp, replace_existing=True)
            old = page.obj.get("/Contents")
            held = list(old) if isinstance(old, Array) else [] if old is None else [old]
            page.obj.Contents = Array([before, *held, after])
        pdf.save(out, encryption=_locked() if encrypt else False)


def _sheet(width: float, height: float) -> bytes:
    packed = io.BytesIO()
    canvas = Canvas(packed, pagesize=(width, height))
    canvas.saveState()
    canvas.setFillAlpha(OPACITY)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(45)
    canvas.setFont("Helvetica", SIZE)
    canvas.drawCentredString(0, 0, TEXT)
    canvas.restoreState()
    canvas.setFont("Helvetica", 7)
    canvas.drawString(20, 12, FOOTER)
    canvas.showPage()
    canvas.save()
    return packed.getvalue()


def overlay(source: Path, out: Path, encrypt: bool = False) -> None:
    """pikepdf's own overlay of a sheet for each page size."""
    with pikepdf.open(source) as pdf:
        sheets: dict[tuple[float, float], pikepdf.Pdf] = {}
        for page in pdf.pages:
            size = (float(page.mediabox[2]), float(page.mediabox[3]))
            if size not in sheets:
                sheets[size] = pikepdf.open(io.BytesIO(_sheet(*size)))
            page.add_overlay(sheets[size].pages[0])  # type: ignore[call-arg]  # its stub forgets the default of rect
        pdf.save(out, encryption=_locked() if encrypt else False)


def insert_text(source: Path, out: Path) -> None:
    """PyMuPDF writing the two lines on each page, saved with AES-256."""
    fitz = peer_module("pymupdf")
    with fitz.open(source) as document:
        for page in document:
            middle = fitz.Point(page.rect.width / 2, page.rect.height / 2)
            start = fitz.Point(middle.x - 200, middle.y)
            page.insert_text(start, TEXT, fontsize=SIZE, fill_opacity=OPACITY, morph=(middle, fitz.Matrix(45)))
            page.insert_text(fitz.Point(20, page.rect.height - 12), FOOTER, fontsize=7)
        document.save(out, encryption=fitz.PDF_ENCRYPT_AES_256, owner_pw=OWNER, user_pw="")


def show_page(source: Path, out: Path) -> None:
    """PyMuPDF showing a sheet over each page."""
    fitz = peer_module("pymupdf")
    with fitz.open(source) as document:
        sheets: dict[tuple[float, float], Any] = {}
        for page in document:
            size = (page.rect.width, page.rect.height)
            if size not in sheets:
                sheets[size] = fitz.open("pdf", _sheet(*size))
            page.show_pdf_page(page.rect, sheets[size], 0)
        document.save(out)


def merge_page(source: Path, out: Path, encrypt: bool = False) -> None:
    """pypdf merging a sheet into each page."""
    pypdf = peer_module("pypdf")
    writer = pypdf.PdfWriter(clone_from=source)
    sheets: dict[tuple[float, float], Any] = {}
    for page in writer.pages:
        size = (float(page.mediabox.width), float(page.mediabox.height))
        if size not in sheets:
            sheets[size] = pypdf.PdfReader(io.BytesIO(_sheet(*size))).pages[0]
        page.merge_page(sheets[size])
    if encrypt:
        writer.encrypt("", OWNER, algorithm="AES-256")
    writer.write(out)


def qpdf_overlay(source: Path, out: Path) -> None:
    """The qpdf command laying a sheet over every page; the sheet is drawn within the time, as it would be for each reader."""
    sheet = out.with_name("sheet.pdf")
    with pikepdf.open(source) as pdf:
        box = pdf.pages[0].mediabox
        sheet.write_bytes(_sheet(float(box[2]), float(box[3])))
    command: list[str | Path] = [
        "qpdf",
        "--encrypt",
        "",
        OWNER,
        "256",
        "--modify=none",
        "--",
        source,
        "--overlay",
        sheet,
        "--repeat=1",
        "--",
    ]
    done = subprocess.run([*command, out], capture_output=True, check=False)
    if done.returncode not in {0, 3}:
        raise ChildProcessError(f"qpdf ended with {done.returncode}: {done.stderr[-200:]!r}")
