"""How a font subset goes into a document: as a simple font, its descriptor, its file and its map to Unicode."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import pikepdf
from pikepdf import Name


@dataclass(frozen=True)
class Embedded:
    """The entries of a font and of its descriptor, without what refers to other objects, and the streams.

    ``key`` is FontFile2 or FontFile3, ``kind`` what stands in the dictionary of that stream; ``to_unicode`` is empty for
    fonts of a standard encoding.
    """

    font: bytes
    descriptor: bytes
    key: bytes
    kind: bytes
    file: bytes
    to_unicode: bytes = b""


def tag(texts: Iterable[str]) -> bytes:
    """Six letters that tell a subset with these texts from others (ISO 32000-2, 9.9.2)."""
    digest = hashlib.sha256("".join(texts).encode()).digest()
    return bytes(ord("A") + byte % 26 for byte in digest[:6])


def embed(pdf: pikepdf.Pdf, parts: Embedded) -> pikepdf.Object:
    """The font as a new object of the document."""
    descriptor = pikepdf.Object.parse(b"<<%s>>" % parts.descriptor)
    file = pikepdf.Stream(pdf, zlib.compress(parts.file, 9), pikepdf.Object.parse(b"<<%s>>" % parts.kind))
    file.Filter = Name.FlateDecode
    descriptor[f"/{parts.key.decode()}"] = file
    font = pikepdf.Object.parse(b"<<%s>>" % parts.font)
    font.FontDescriptor = pdf.make_indirect(descriptor)
    if parts.to_unicode:
        font.ToUnicode = pikepdf.Stream(pdf, zlib.compress(parts.to_unicode, 9), Filter=Name.FlateDecode)
    return pdf.make_indirect(font)
