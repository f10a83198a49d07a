"""How a font subset goes into a document: as a simple font, its descriptor, its file and its map to Unicode."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pikepdf
from pikepdf import Name

from drm.pdf.packing import packed_well

CODES = bytes(code for code in range(0x2A, 0x100) if code not in b"\\\x7f\xa0\xad")
"""The bytes that subsets use: none that a string would have to escape, or that a reader may take for a blank."""

TO_UNICODE = b"""/CIDInit/ProcSet findresource begin
12 dict begin
begincmap
/CMapName/R def
/CMapType 2 def
1 begincodespacerange
<00><FF>
endcodespacerange
%sendcmap
end
end"""


@dataclass(frozen=True)
class Embedded:
    """The entries of a font and of its descriptor, without what refers to other objects, and the streams.

    ``key`` is FontFile2 or FontFile3, ``kind`` what stands in the dictionary of that stream; ``to_unicode`` is empty for
    fonts of a standard encoding. ``named`` says that glyph names tell the characters too, so that a copy which must be
    small can do without the map.
    """

    font: bytes
    descriptor: bytes
    key: bytes
    kind: bytes
    file: bytes
    to_unicode: bytes = b""
    named: bool = False


def tag(texts: Iterable[str]) -> bytes:
    """Six letters that tell a subset with these texts from others (ISO 32000-2, 9.9.2)."""
    digest = hashlib.sha256("".join(texts).encode()).digest()
    return bytes(ord("A") + byte % 26 for byte in digest[:6])


def to_unicode(codes: Mapping[str, int]) -> bytes:
    """The CMap that gives each code its text (ISO 32000-2, 9.10.3)."""
    lines = [b"<%02X><%s>\n" % (code, _utf16(one)) for one, code in codes.items()]
    blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
    return TO_UNICODE % b"".join([b"%d beginbfchar\n%sendbfchar\n" % (len(block), b"".join(block)) for block in blocks])


@functools.lru_cache(maxsize=8192)
def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be").hex().upper().encode()


def embed(pdf: pikepdf.Pdf, parts: Embedded) -> pikepdf.Object:
    """The font as a new object of the document."""
    descriptor = pikepdf.Object.parse(b"<<%s>>" % parts.descriptor)
    file = pikepdf.Stream(pdf, packed_well(parts.file), pikepdf.Object.parse(b"<<%s>>" % parts.kind))
    file.Filter = Name.FlateDecode
    descriptor[f"/{parts.key.decode()}"] = file
    font = pikepdf.Object.parse(b"<<%s>>" % parts.font)
    font.FontDescriptor = pdf.make_indirect(descriptor)
    if parts.to_unicode:
        font.ToUnicode = pikepdf.Stream(pdf, packed_well(parts.to_unicode), Filter=Name.FlateDecode)
    return pdf.make_indirect(font)
