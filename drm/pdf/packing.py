"""Packs streams of small documents anew, as well as deflate can, so that a copy is hardly larger than its source.

A copy brings fonts, cover and stamp of some kilobytes. In a document of fifty that shows; packers that look for the best way
through all matches (libdeflate) find two to eight per cent that others left on the table.
"""

from __future__ import annotations

import zlib

import deflate
import pikepdf
from pikepdf import Dictionary, Name, Stream

SMALL = 160 * 1024
"""Bytes of a source up to which its streams are looked at."""

SMALLEST = 512
MOST_UNPACKED = 1024 * 1024
"""Bytes that are packed anew in one document, at most; they take some fifty milliseconds."""

HARDEST = 12
"""The level of libdeflate that finds the most."""

WORTH = 0.995


def packed_well(data: bytes) -> bytes:
    """The data as the smallest zlib stream (RFC 1950) that is found in reasonable time."""
    return bytes(deflate.zlib_compress(data, HARDEST))


def pack_better(pdf: pikepdf.Pdf) -> int:
    """Pack anew, in place, what gets smaller by it; how many bytes that saved. What is damaged is left alone."""
    saved, left = 0, MOST_UNPACKED
    for stream in pdf.objects:
        if left <= 0:
            break
        if not isinstance(stream, Stream) or stream.get("/Filter") != Name.FlateDecode:
            continue
        packed = _raw(stream)
        if len(packed) < SMALLEST:
            continue
        data = _unpacked(packed, left)
        if data is None:
            continue
        left -= len(data)
        better = packed_well(data)
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


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """The data; None where they are more than that, or do not end where the stream does."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, most)
    except zlib.error:
        return None
    return data if unpacker.eof and not unpacker.unused_data.strip(b"\r\n") else None
