"""Other people's PDF readers, asked what they read in a file and what they complain of.

MuPDF and Ghostscript are under the AGPL: they run as commands or from the benchmarks' own folder, and nothing imports them where
the service would.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2

from benchmarks.pdf_engine.peers import peer_module

SECONDS = 60
ROOT = Path(__file__).resolve().parents[2]
PDFJS = ROOT / "var" / "benchmarks" / "pdfjs" / "node_modules" / "pdfjs-dist" / "legacy" / "build" / "pdf.mjs"
READ_MJS = ROOT / "benchmarks" / "pdfjs" / "read.mjs"


@dataclass(frozen=True)
class Reader:
    """``read`` gives all text that the reader finds with a password, empty where the file does not open. ``missing`` says why it cannot be
    asked here."""

    name: str
    read: Callable[[Path, str], str]
    missing: str = ""


def readers() -> list[Reader]:
    """Six readers that were written apart from one another, those that are not here too."""
    no_pdfjs = (
        "" if PDFJS.exists() and shutil.which("node") else "pdf.js is not installed (type: sh benchmarks/peers.sh)"
    )
    return [
        Reader("pdfium", _pdfium),
        Reader("poppler", _poppler, _no("pdftotext", "poppler-utils")),
        Reader("MuPDF", _mutool, _no("mutool", "mupdf-tools")),
        Reader("Ghostscript", _ghostscript, _no("gs", "ghostscript")),
        Reader("pdf.js", _pdfjs, no_pdfjs),
        Reader("qpdf", _qpdf, _no("qpdf", "qpdf")),
    ]


def _no(command: str, package: str) -> str:
    return "" if shutil.which(command) else f"{command} is not installed (type: apt-get install {package})"


def opened_by(path: Path) -> dict[str, bool]:
    """Every reader that is here, and whether it finds a page or a word in the file. All may repair as they like."""
    found = {one.name: bool(one.read(path, "")) for one in readers() if not one.missing}
    for name, module, ask in (("PyMuPDF", "pymupdf", _mupdf), ("pypdf", "pypdf", _pypdf)):
        if peer_module(module):
            found[name] = ask(path)
    return found


def complaints(path: Path, pages: int = 0) -> str:
    """The first thing wrong with a file: it opens with a repair only, has other pages than said, or breaks the syntax."""
    try:
        with pikepdf.open(path, attempt_recovery=False, suppress_warnings=True) as pdf:
            said = [str(one) for one in pdf.check_pdf_syntax()] + [str(one) for one in pdf.get_warnings()]
            count = len(pdf.pages)
        document = pypdfium2.PdfDocument(path)
        counts = {count, len(document)} | ({pages} if pages else set())
        document.close()
    except (pikepdf.PdfError, pypdfium2.PdfiumError) as error:
        return str(error) or type(error).__name__
    if len(counts) > 1:
        return f"pages are counted as {sorted(counts)}"
    return said[0] if said else ""


def _pdfium(path: Path, password: str) -> str:
    """The text; ``pages`` where there are pages without a word, since to open is enough."""
    try:
        document = pypdfium2.PdfDocument(path, password=password or None)
        text = "\n".join(page.get_textpage().get_text_bounded() for page in document)
        return text.strip() or "pages" * bool(len(document))
    except pypdfium2.PdfiumError:
        return ""


def _mupdf(path: Path) -> bool:
    pymupdf = peer_module("pymupdf")
    pymupdf.TOOLS.mupdf_display_errors(False)
    try:
        with pymupdf.open(path, filetype="pdf") as document:
            return bool(len(document) and any(page.get_text().strip() for page in document))
    except (RuntimeError, ValueError):
        return False


def _pypdf(path: Path) -> bool:
    pypdf = peer_module("pypdf")
    try:
        return len(pypdf.PdfReader(path).pages) > 0
    except Exception:  # noqa: BLE001 - it raises whatever its parser meets; that is "does not open"
        return False


def _said(*command: str | Path) -> str:
    """What a command prints; nothing where it fails, but for qpdf's 3, which means warnings."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode in {0, 3} else ""


def _qpdf(path: Path, password: str) -> str:
    """The number of pages, for it reads no text."""
    pages = _said("qpdf", f"--password={password}", "--show-npages", path)
    return "" if pages == "0" else pages


def _poppler(path: Path, password: str) -> str:
    return _said("pdftotext", "-upw", password, path, "-")


def _mutool(path: Path, password: str) -> str:
    return _said("mutool", "draw", "-q", "-p", password, "-F", "text", path)


def _ghostscript(path: Path, password: str) -> str:
    options = (
        "-q",
        "-dSAFER",
        "-dBATCH",
        "-dNOPAUSE",
        "-sstdout=%stderr",
        "-sDEVICE=txtwrite",
        f"-sPDFPassword={password}",
    )
    return _said("gs", *options, "-sOutputFile=-", path)


def _pdfjs(path: Path, password: str) -> str:
    """The text; ``pages`` where there are pages without a word, since to open is enough."""
    pages = json.loads(_said("node", READ_MJS, PDFJS, path, password) or "[]")
    return "\n".join(pages).strip() or "pages" * bool(pages)
