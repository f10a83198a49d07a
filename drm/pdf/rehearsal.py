"""One small document prepared and checked before any child is forked, so that children find everything loaded.

What is done first takes longest: pattern tables, font tables, the list of the system's fonts, code pages not yet read.
Each child would pay for all of it again.
"""

from __future__ import annotations

import gc
import tempfile
from dataclasses import replace
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name

import drm.pdf.archival_fonts  # noqa: F401 - for the children of archival documents
from drm.pdf.comparing import Comparison
from drm.pdf.copying import write_copy
from drm.pdf.proving import prove
from drm.pdf.tail.preparing import PrepareTask, prepare_master
from drm.pdf.tail.proving import prove_alone
from drm.pdf.tail.typical import typical_copy
from drm.pdf.values import Limits, PdfRefused

GARBAGE = 50_000
"""New objects after which a child looks for garbage in cycles: seldom, for it ends before there is much."""

CONTENT = b"BT /F1 9 Tf 72 700 Td (A page) Tj /F2 9 Tf 0 -20 Td (in two fonts) Tj ET 1 g 0 0 9 9 re f 0 0 m 9 9 l S"


def rehearse() -> None:
    """Do all kinds of work once, and keep what was loaded out of the way of the collector."""
    try:
        with tempfile.TemporaryDirectory(prefix="rushlight-rehearsal-") as folder:
            _perform(Path(folder))
    except (OSError, PdfRefused, pikepdf.PdfError):
        pass  # children then load what they need themselves, and say what is wrong
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def _perform(folder: Path) -> None:
    source, limits = folder / "source.pdf", Limits()
    _write(source)
    spec = replace(typical_copy(), delivery="RL-REHEARSAL")
    prepare_master(
        PrepareTask(source, folder / "master", spec, "", encrypted=True, classic=False, per_page=False),
        limits,
    )
    write_copy(source, folder / "copy.pdf", spec, limits, None, None)
    prove(folder / "copy.pdf", None, None, look=Comparison(source, None).look)
    prove_alone(folder / "master")


def _write(path: Path) -> None:
    pdf = pikepdf.new()
    fonts = Dictionary({
        f"/F{number}": Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name(f"/{name}"))
        for number, name in enumerate(("Helvetica", "Arial"), start=1)
    })  # fmt: skip
    for _ in range(2):
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, 595, 842]),
            Contents=pdf.make_stream(CONTENT),
            Resources=Dictionary(Font=fonts),
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    pdf.save(path, encryption=False)
