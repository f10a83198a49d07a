"""Saves a document in clear, its objects packed into streams, whatever generations its references name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO

import pikepdf
from pikepdf import ObjectStreamMode


def save_clear(
    pdf: pikepdf.Pdf, target: Path | BinaryIO, version: str | tuple[str, int], *, folder: Path, packed: bool = True
) -> None:
    """Save as a file of this version at least; ``packed`` into object streams. ``folder`` has room for what lies between.

    Of two objects of one number qpdf packs only that of the higher generation, though nobody but a dead reference knows
    it: the other, a whole page perhaps, becomes null. Written without streams the dead one is gone, and what is read
    from there can be packed.
    """
    if not packed or all(known is not None for known in pdf.objects):
        _save(pdf, target, version, ObjectStreamMode.generate if packed else ObjectStreamMode.disable)
        return
    with tempfile.TemporaryFile(dir=folder) as between:
        _save(pdf, between, version, ObjectStreamMode.disable)
        with pikepdf.open(between, suppress_warnings=True, inherit_page_attributes=False) as again:
            _save(again, target, version, ObjectStreamMode.generate)


def _save(pdf: pikepdf.Pdf, target: Path | BinaryIO, version: str | tuple[str, int], mode: ObjectStreamMode) -> None:
    pdf.save(
        target,
        object_stream_mode=mode,
        compress_streams=True,
        linearize=False,
        min_version=version,
        fix_metadata_version=False,
        encryption=False,
    )
