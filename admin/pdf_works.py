"""The PDF engine as the use cases see it, with this installation's limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from drm.pdf.inspecting import inspect
from drm.pdf.rendering import page_text, render_page
from drm.pdf.rewrite import make_copy
from drm.pdf.values import CopyReport, CopySpec, Limits


class SandboxedPdfWorks:
    """Every call runs in a limited child process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def inspect(self, source: Path) -> Mapping[str, object]:
        """The report on a file."""
        return inspect(source, self._limits)

    def make_copy(self, source: Path, out: Path, spec: CopySpec, reader_password: str | None = None) -> CopyReport:
        """One verified copy at ``out``."""
        return make_copy(source, out, spec, self._limits, reader_password=reader_password)

    def render_page(self, source: Path, page: int, width: int, password: str | None = None) -> bytes:
        """One page as PNG."""
        return render_page(source, page, width, self._limits, password)

    def page_text(self, source: Path, page: int, password: str | None = None) -> str:
        """The text of one page."""
        return page_text(source, page, self._limits, password)
