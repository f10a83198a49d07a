"""Pictures and texts of pages, made in the sandbox."""

from __future__ import annotations

import tempfile
from pathlib import Path

from drm.pdf.sandbox import run_limited
from drm.pdf.values import Limits


def render_page(source: Path, page: int, width: int, limits: Limits = Limits(), password: str | None = None) -> bytes:
    """Page ``page`` (from 0) as PNG, ``width`` pixels wide; PdfRefused where it cannot be drawn."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "page.png"
        given = {"path": str(source.absolute()), "page": page, "width": width, "out": str(out), "password": password}
        run_limited("render", given, limits)
        return out.read_bytes()


def page_text(source: Path, page: int, limits: Limits = Limits(), password: str | None = None) -> str:
    """The text of page ``page`` (from 0); PdfRefused where it cannot be read."""
    return str(run_limited("text", {"path": str(source.absolute()), "page": page, "password": password}, limits))
