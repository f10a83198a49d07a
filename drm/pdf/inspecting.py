"""Looks at a file, in the sandbox."""

from __future__ import annotations

from pathlib import Path

from drm.pdf.plain_paths import readable
from drm.pdf.sandbox import run_limited
from drm.pdf.values import Limits


def inspect(source: Path, limits: Limits = Limits(), password: str | None = None) -> dict[str, object]:
    """The report on a file; what we would refuse has its code in ``verdict``. PdfRefused only where nothing can be read."""
    with source.open("rb"):
        size = source.stat().st_size
    with readable(source) as plain:
        arguments = {"path": str(plain.absolute()), "password": password, "source_bytes": size}
        report = run_limited("examine", arguments, limits)
    assert isinstance(report, dict)
    return report
