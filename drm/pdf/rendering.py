"""Pictures of pages, made in the sandbox."""

from __future__ import annotations

import tempfile
from pathlib import Path

from drm.pdf.sandbox import run_limited
from drm.pdf.values import Limits


def render_page(source: Path, page: int, width: int, limits: Limits = Limits()) -> bytes:
    """Page ``page`` (from 0) as PNG, ``width`` pixels wide; PdfRefused where it cannot be drawn."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "page.png"
        run_limited("render", {"path": str(source.absolute()), "page": page, "width": width, "out": str(out)}, limits)
        return out.read_bytes()
