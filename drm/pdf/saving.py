"""Saves a document in clear, its objects packed into streams, whatever generations its references name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Object, ObjectStreamMode, Stream


def save_clear(
    pdf: pikepdf.Pdf, target: Path | BinaryIO, version: str | tuple[str, int], *, folder: Path, packed: bool = True
) -> None:
    """Save as a file of this version at least; ``packed`` into object streams. ``folder`` has room for what lies between.

    qpdf takes objects of one number for one: where a reference names a generation that is not there, the object that
    is there, a whole page perhaps, may become null. So dead references in lists go first. Of two generations of a number
    it packs only the higher one, though nobody may name it: written without streams those that nobody names are gone,
    and what is read from there can be packed.
    """
    if not packed or _each_numbered_once(pdf):
        _save(pdf, target, version, ObjectStreamMode.generate if packed else ObjectStreamMode.disable)
        return
    _bury(pdf)
    with tempfile.TemporaryFile(dir=folder) as between:
        _save(pdf, between, version, ObjectStreamMode.disable)
        with pikepdf.open(between, suppress_warnings=True, inherit_page_attributes=False) as again:
            _save(again, target, version, ObjectStreamMode.generate)


def _each_numbered_once(pdf: pikepdf.Pdf) -> bool:
    """Whether every object is there, and no two generations of one number are."""
    with pikepdf.explicit_conversion():  # else a number standing alone would be one of Python's, and nameless
        known = [one.objgen[0] for one in pdf.objects if one is not None]
    return len({*known}) == len(pdf.objects)


def _bury(pdf: pikepdf.Pdf) -> None:
    """Put null in the place of each reference in a list to what is not there. Entries of dictionaries are left out as it is."""
    waiting: list[Any] = [pdf.trailer, *pdf.objects]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Array):
            inside: list[Any] = list(value)
            for place in [place for place, one in enumerate(inside) if one is None]:
                value[place] = None
        elif isinstance(value, Dictionary | Stream):
            inside = [one for _, one in value.items()]
        else:
            continue
        waiting += [one for one in inside if isinstance(one, Object) and not one.is_indirect]


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
