"""Packs streams of small documents anew where their own packer did poorly, so that a copy is hardly larger than its source.

A copy brings fonts, cover and stamp of some kilobytes. In a document of fifty that shows; packers in a hurry, and those
that remember only the last few kilobytes, leave more than that on the table. Their first two bytes tell them.
"""

from __future__ import annotations

import zlib

import pikepdf
from pikepdf import Dictionary, Name, Stream

SMALL = 160 * 1024
"""Bytes of a source up to which its streams are looked at."""

SMALLEST = 512
MOST_UNPACKED = 1024 * 1024
"""Bytes that are packed anew in one document, at most."""

WINDOW, WHOLE_WINDOW, HURRY = 0xF0, 0x70, 0xC0
"""Of the head of a zlib stream (RFC 1950, 2.2): the size of its window, 32 KiB, and how hard the packer tried."""

WORTH = 0.98


def pack_better(pdf: pikepdf.Pdf) -> int:
    """Pack anew, in place, what certainly was packed poorly; how many bytes that saved. What is damaged is left alone."""
    saved, left = 0, MOST_UNPACKED
    for stream in pdf.objects:
        if left <= 0:
            break
        if not isinstance(stream, Stream) or stream.get("/Filter") != Name.FlateDecode:
            continue
        packed = _raw(stream)
        if len(packed) < SMALLEST or not _is_poor(packed):
            continue
        data = _unpacked(packed, left)
        if data is None:
            continue
        left -= len(data)
        better = zlib.compress(data)
        if len(better) < WORTH * len(packed):
            known = stream.get("/DecodeParms")
            stream.write(better, filter=Name.FlateDecode, decode_parms=known if isinstance(known, Dictionary) else None)
            saved += len(packed) - len(better)
    return saved


def _raw(stream: pikepdf.Object) -> bytes:
    try:
        return stream.read_raw_bytes()
    except (pikepdf.PdfError, pikepdf.DataDecodingError):
        return b""


def _is_poor(packed: bytes) -> bool:
    return packed[0] & 0x0F == zlib.DEFLATED and (packed[0] & WINDOW < WHOLE_WINDOW or not packed[1] & HURRY)


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """The data; None where they are more than that, or do not end where the stream does."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, most)
    except zlib.error:
        return None
    return data if unpacker.eof and not unpacker.unused_data.strip(b"\r\n") else None
