"""The checks of a master, in one child: it opens nowhere alone, its canary copy is good, and only stamps change its pages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

from drm.pdf.comparing import Comparison
from drm.pdf.proving import prove
from drm.pdf.values import PdfRefused


@dataclass(frozen=True)
class MasterProof:
    """What is proved: the master, ``length`` bytes long, with the ``tail`` of a copy and what is expected of that.

    ``file_key`` is in hexadecimal, "" for a plain master. ``source`` is None where the pages may differ from its pages.
    """

    master: Path
    length: int
    tail: Path
    expect: dict[str, Any]
    file_key: str
    source: Path | None
    password: str | None


def prove_master(proof: MasterProof) -> dict[str, Any]:
    """The verdict on the copy; PdfRefused with the first check that fails. The tail stays appended to the master."""
    os.truncate(proof.master, proof.length)
    prove_alone(proof.master)
    with proof.master.open("ab") as file:
        file.write(proof.tail.read_bytes())
    look = None if proof.source is None else Comparison(proof.source, proof.password).look
    return prove(proof.master, proof.expect, None, proof.file_key, look)


def prove_alone(path: Path) -> None:
    """That a master without a tail opens in neither library, with recovery on; PdfRefused ``output-invalid`` else."""
    for opens in (_pikepdf_pages, _pdfium_pages):
        if opens(path):
            raise PdfRefused("output-invalid", "The master opens without a tail.")


def _pikepdf_pages(path: Path) -> int:
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            return len(pdf.pages)
    except pikepdf.PdfError:
        return 0


def _pdfium_pages(path: Path) -> int:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return 0
    count = len(document)
    document.close()
    return count
