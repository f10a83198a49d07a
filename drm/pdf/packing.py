"""Packs streams of small documents anew, as well as deflate can, so that a copy is hardly larger than its source.

A copy brings fonts, cover and stamp of some kilobytes. In a document of fifty that shows; packers that look for the best way
through all matches (libdeflate) find two to eight per cent that others left on the table.
"""

from __future__ import annotations

import zlib

import deflate
import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Stream

SMALL = 160 * 1024
"""Bytes of a source up to which its streams are looked at."""

SMALLEST = 128
"""Bytes of a stream from which on it is looked at."""

MOST_UNPACKED = 1024 * 1024
"""Bytes that are packed anew in one document, at most; they take some fifty milliseconds."""

HARDEST = 12
"""The level of libdeflate that finds the most."""

WORTH = 16
"""Bytes that must be saved: an encrypted stream is as long as so many times sixteen."""


def packed_well(data: bytes) -> bytes:
    """The data as the smallest zlib stream (RFC 1950) that is found in reasonable time."""
    return bytes(deflate.zlib_compress(data, HARDEST))


def packed_harder(packed: bytes) -> bytes:
    """What a zlib stream of no more than MOST_UNPACKED bytes holds, in no more bytes; what is none as it is."""
    try:
        data = _unpacked(packed, MOST_UNPACKED)
    except zlib.error:
        return packed
    better = packed if data is None else packed_well(data)
    return better if len(better) < len(packed) else packed


def pack_better(pdf: pikepdf.Pdf) -> int:
    """Pack anew, in place, what gets smaller by it; how many bytes that saved.

    What is packed in several ways keeps all but the outermost. What is damaged is left alone: readers differ in how much of it they save.
    """
    saved, left = 0, MOST_UNPACKED
    for stream in pdf.objects:
        if left <= 0:
            break
        if not isinstance(stream, Stream):
            continue
        packed = _raw(stream)
        layers = _layers(stream)
        if len(packed) < SMALLEST or layers is None:
            continue
        data, layers = _unwrapped(packed, layers, left)
        if data is None:
            continue
        left -= len(data)
        better = packed_well(data)
        if len(better) + WORTH <= len(packed):
            _write(stream, better, layers)
            saved += len(packed) - len(better)
    return saved


Layer = tuple[Name, Object | None]
"""A filter and its parameters."""


def _layers(stream: Object) -> list[Layer] | None:
    """How a stream is packed, the outermost first; None where that is written in no way that is known (ISO 32000-2, 7.3.8.2)."""
    written, known = stream.get("/Filter"), stream.get("/DecodeParms")
    filters = list(written) if isinstance(written, Array) else [] if written is None else [written]
    if len(filters) > 1 and known is not None and not isinstance(known, Array):
        return None  # parameters of which layer?
    parameters = list(known) if isinstance(known, Array) else [known] * min(1, len(filters))
    parameters += [None] * (len(filters) - len(parameters))
    layers = [(one, more) for one, more in zip(filters, parameters, strict=False) if isinstance(one, Name)]
    return None if len(layers) < len(filters) or any(one == Name.Crypt for one, _ in layers) else layers


def _unwrapped(packed: bytes, layers: list[Layer], most: int) -> tuple[bytes | None, list[Layer]]:
    """What is to be packed, at most so many bytes, and how it will be packed then; None for what is left alone."""
    if not layers:
        return packed if len(packed) <= most else None, [(Name.FlateDecode, None)]
    if layers[0][0] != Name.FlateDecode:
        return None, layers
    try:
        return _unpacked(packed, most), layers
    except zlib.error:
        return None, layers


def _write(stream: Object, data: bytes, layers: list[Layer]) -> None:
    names = [name for name, _ in layers]
    known = [one if isinstance(one, Dictionary) else None for _, one in layers]
    if len(layers) == 1:
        stream.write(data, filter=names[0], decode_parms=known[0])
    else:
        stream.write(data, filter=names, decode_parms=Array(known) if any(one is not None for one in known) else None)


def _raw(stream: pikepdf.Object) -> bytes:
    try:
        return stream.read_raw_bytes()
    except (pikepdf.PdfError, pikepdf.DataDecodingError):
        return b""


def _unpacked(packed: bytes, most: int) -> bytes | None:
    """The data; None where they are more than that, or do not end where the stream does. zlib.error for damaged ones."""
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(packed, most)
    return data if unpacker.eof and not unpacker.unused_data.strip(b"\r\n") else None
