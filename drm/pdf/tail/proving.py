"""The checks of a master, in one child: it opens nowhere alone, its canary copy is good, and only stamps change its pages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

from drm.pdf.lifting import take_stamp_off
from drm.pdf.proving import prove
from drm.pdf.values import PdfRefused

COMPARED, PIXELS, MOST_SIDE = 4, 400, 1600
TOLERATED = 0.002
"""Share of the samples of a page that may differ from the source."""


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


class Comparison:
    """Compares the first pages behind the cover of a copy, without their stamps, with those of the source."""

    def __init__(self, source: Path, password: str | None) -> None:
        self._original: pypdfium2.PdfDocument | None = None
        try:
            self._original = pypdfium2.PdfDocument(source, password=password or None)
        except pypdfium2.PdfiumError:  # opens after a repair only, so there is nothing to compare with
            return

    def look(self, number: int, page: pypdfium2.PdfPage, lifted: bool) -> None:
        """PdfRefused ``output-invalid`` where this page of the copy (0 is the cover) looks unlike that of the source, without
        its stamp, which is taken off here where it was not ``lifted`` before."""
        if self._original is None or not 1 <= number <= min(COMPARED, len(self._original)):
            return
        try:
            before = _samples(self._original[number - 1])
        except (pypdfium2.PdfiumError, ValueError):  # a page that cannot be drawn, or is too small to be
            return
        if not lifted:
            take_stamp_off(page)
        if _difference(_samples(page), before) > TOLERATED:
            raise PdfRefused("output-invalid", f"Page {number} does not look like the page of the source.")


def _samples(page: pypdfium2.PdfPage) -> bytes:
    width, height = page.get_size()
    scale = min(PIXELS / max(1.0, width), MOST_SIDE / max(1.0, height))
    # pictures are scaled roughly, which takes half as long: on both pages alike
    return bytes(page.render(scale=scale, may_draw_forms=False, no_smoothimage=True).buffer)


def _difference(one: bytes, other: bytes) -> float:
    """The share of samples that differ."""
    if one == other:
        return 0.0
    if len(one) != len(other):
        return 1.0
    apart = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 1 - apart.to_bytes(len(one), "big").count(0) / len(one)
