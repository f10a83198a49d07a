"""The fonts that a tail brings along."""

from __future__ import annotations

from drm.pdf.glyphs import AnySubset
from drm.pdf.tail.writing import TailWriter, packed

DEFLATED = b"/Filter/FlateDecode"


def write_font(writer: TailWriter, subset: AnySubset) -> int:
    """The font of a subset with the outlines that this copy needs; its number."""
    parts = subset.parts()
    file = writer.stream(writer.number(), DEFLATED + parts.kind, packed(parts.file))
    entries = b"<<%s/%s %d 0 R>>" % (parts.descriptor, parts.key, file)
    font = parts.font + b"/FontDescriptor %d 0 R" % writer.add(writer.number(), entries)
    if parts.to_unicode and not parts.named:
        font += b"/ToUnicode %d 0 R" % writer.stream(writer.number(), DEFLATED, packed(parts.to_unicode))
    return writer.add(writer.number(), b"<<%s>>" % font)
