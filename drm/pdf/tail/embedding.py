"""The fonts that a tail brings along."""

from __future__ import annotations

from drm.pdf.glyphs import AnySubset
from drm.pdf.tail.writing import TailWriter, packed, packed_again

DEFLATED = b"/Filter/FlateDecode"


def write_font(writer: TailWriter, subset: AnySubset) -> int:
    """The font of a subset with the outlines that this copy needs; its number."""
    parts = subset.parts()
    # Those of a few letters come again and again; large ones are one copy's own, and keeping them would only fill memory.
    file = packed_again(parts.file) if parts.named else packed(parts.file)
    file_number = writer.stream(writer.number(), DEFLATED + parts.kind, file)
    entries = b"<<%s/%s %d 0 R>>" % (parts.descriptor, parts.key, file_number)
    font = parts.font + b"/FontDescriptor %d 0 R" % writer.add(writer.number(), entries)
    if parts.to_unicode and not parts.named:
        font += b"/ToUnicode %d 0 R" % writer.stream(writer.number(), DEFLATED, packed(parts.to_unicode))
    return writer.add(writer.number(), b"<<%s>>" % font)
