"""Other people's PDF readers, asked whether they open a file and what they complain of."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2

from benchmarks.pdf_engine.peers import peer_module

SECONDS = 60


def opened_by(path: Path) -> dict[str, bool]:
    """Every reader that is here, and whether it finds a page or a word in the file. All may repair as they like."""
    asked: dict[str, Callable[[Path], bool]] = {"pikepdf": _pikepdf, "pdfium": _pdfium}
    for name, module, ask in (("PyMuPDF", "pymupdf", _mupdf), ("pypdf", "pypdf", _pypdf)):
        if peer_module(module):
            asked[name] = ask
    for name, ask in (("qpdf", _qpdf), ("pdftotext", _pdftotext), ("gs", _ghostscript)):
        if shutil.which(name):
            asked[name] = ask
    return {name: ask(path) for name, ask in asked.items()}


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


def _pikepdf(path: Path) -> bool:
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            return len(pdf.pages) > 0
    except pikepdf.PdfError:
        return False


def _pdfium(path: Path) -> bool:
    try:
        return len(pypdfium2.PdfDocument(path)) > 0
    except pypdfium2.PdfiumError:
        return False


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


def _said(*command: str | Path) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    return done.stdout if done.returncode in {0, 3} else b""


def _qpdf(path: Path) -> bool:
    return _said("qpdf", "--show-npages", path).strip() not in {b"", b"0"}


def _pdftotext(path: Path) -> bool:
    return bool(_said("pdftotext", path, "-").strip())


def _ghostscript(path: Path) -> bool:
    return bool(
        _said("gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=txtwrite", "-sOutputFile=-", path).strip()
    )
