"""Files that unpack to far more than they are: bombs of every filter."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from functools import partial

from tests.hostile.drafts import (
    DELIVERED,
    Hostile,
    Table,
    files,
    line,
    packed,
    paper,
    stream,
)

MIB = 1024 * 1024
EITHER, BOMB = f"{DELIVERED} bomb damaged timeout", "bomb timeout"


def zeros(count: int, filler: bytes = b" ") -> bytes:
    """Very many equal bytes, deflated. One mebibyte is packed and its bytes repeated, for that is a deflate stream too."""
    piece = filler * (MIB // len(filler))
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(count // MIB):
        check = zlib.adler32(piece, check)
    return b"\x78\xda" + block * (count // MIB) + b"\x03\0" + check.to_bytes(4, "big")


def content(filters: bytes, data: Callable[[], bytes]) -> bytes:
    return paper(changed={5: stream(data(), b"/Filter" + filters)})


def _lzw() -> bytes:
    """LZW in which each code repeats all that the one before stood for, and one byte more: 290 MB in 40 rounds."""
    codes = [(32, 9), *((code, 9 + sum(code + 1 > most for most in (511, 1023, 2047))) for code in range(258, 4_088))]
    held, count, out = 0, 0, bytearray()
    for round_ in range(40):
        for code, width in [(256, 12 if round_ else 9), *codes]:
            held, count = (held << width) | code, count + width
            while count >= 8:
                count -= 8
                out.append((held >> count) & 255)
            held &= (1 << count) - 1
    return bytes(out)


def _jpeg(side: int) -> bytes:
    """A JPEG that says it is very large, and holds nothing."""
    head = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xdb\0\x43\0" + b"\1" * 64
    frame = b"\xff\xc0\0\x0b\x08" + side.to_bytes(2, "big") * 2 + b"\1\1\x11\0"
    table = b"\xff\xc4\0\x14\0" + b"\1" + bytes(15) + b"\0"
    return head + frame + table + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\0" * 500 + b"\xff\xd9"


def _jpx(side: int) -> bytes:
    size = (
        b"\xff\x51\0\x29\0\0"
        + side.to_bytes(4, "big") * 2
        + bytes(8)
        + side.to_bytes(4, "big") * 2
        + bytes(8)
        + b"\0\1\7\1\1"
    )
    return (
        b"\xff\x4f"
        + size
        + b"\xff\x52\0\x0c\0\0\0\1\0\5\4\4\0\1"
        + b"\xff\x5c\0\x04\x40\x40"
        + b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93\xff\xd9"
    )


def _pictured(entries: bytes, data: Callable[[], bytes], side: int = 20_000) -> bytes:
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray" % (side, side)
    return paper(
        resources=b"/Resources<</Font<</F1 7 0 R>>/XObject<</Im 8 0 R>>>>",
        content=line(1) + b"q 90 0 0 90 50 50 cm /Im Do Q",
        more={8: stream(data(), head + entries)},
    )


def _of_content() -> Table:
    """Page content that unpacks to far more than it is."""
    many = {number: stream(zeros(40 * MIB), b"/Filter/FlateDecode") for number in range(8, 28)}
    listed = b"/Contents[" + b" ".join(b"%d 0 R" % number for number in many) + b"]"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>%b>>"
    return {
        "flate": (partial(content, b"/FlateDecode", lambda: zeros(400 * MIB)), BOMB),
        "flate twice": (partial(content, b"[/FlateDecode/FlateDecode]", lambda: packed(zeros(1000 * MIB))), BOMB),
        "flate three times": (
            partial(content, b"[/FlateDecode/FlateDecode/FlateDecode]", lambda: packed(zeros(2000 * MIB), 2)),
            BOMB,
        ),
        "forty filters": (
            partial(content, b"[" + b"/FlateDecode" * 40 + b"]", lambda: packed(line(1), 40)),
            "bomb unsupported damaged",
        ),
        "flate at the limit": (partial(content, b"/FlateDecode", lambda: zeros(60 * MIB)), EITHER),
        "many streams below the limit": (lambda: paper(changed={3: page % listed}, more=many), EITHER),
        "LZW": (partial(content, b"/LZWDecode", _lzw), BOMB),
        "RunLength": (partial(content, b"/RunLengthDecode", lambda: b"\x81 " * (2 * MIB)), BOMB),
        "RunLength in flate": (
            partial(content, b"[/FlateDecode/RunLengthDecode]", lambda: zeros(32 * MIB, b"\x81 ")),
            BOMB,
        ),
        "ASCII85 in flate": (
            partial(content, b"[/FlateDecode/ASCII85Decode]", lambda: zeros(60 * MIB, b"z")),
            EITHER,
        ),
        "ASCIIHex in flate": (
            partial(content, b"[/FlateDecode/ASCIIHexDecode]", lambda: zeros(60 * MIB, b"20")),
            EITHER,
        ),
        "ASCII85 of flate": (
            partial(content, b"[/ASCII85Decode/FlateDecode]", lambda: base64.a85encode(zeros(300 * MIB)) + b"~>"),
            BOMB,
        ),
    }


def _of_pictures() -> Table:
    """Pictures and predictors that unpack to far more than they are."""
    return {
        "JPEG of 65500 a side": (partial(_pictured, b"/Filter/DCTDecode", partial(_jpeg, 65_500)), EITHER),
        "JPEG as content": (
            partial(content, b"/DCTDecode", partial(_jpeg, 65_500)),
            "unsupported bomb damaged delivered",
        ),
        "JPEG 2000 of a million a side": (
            partial(_pictured, b"/Filter/JPXDecode", partial(_jpx, 1_000_000)),
            EITHER,
        ),
        "image of flate": (partial(_pictured, b"/Filter/FlateDecode", lambda: zeros(400 * MIB)), EITHER),
        "image of flate three times": (
            partial(_pictured, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]", lambda: packed(zeros(2000 * MIB), 2)),
            EITHER,
        ),
        "fax without end": (
            partial(
                _pictured,
                b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 60000/Rows 60000>>",
                lambda: b"\xff" * MIB,
            ),
            EITHER,
        ),
        "huge predictor columns": (
            partial(content, b"/FlateDecode/DecodeParms<</Predictor 12/Columns 2000000000>>", lambda: packed(line(1))),
            f"{EITHER} unsupported",
        ),
        "huge predictor of an image": (
            partial(
                _pictured,
                b"/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 500000000/Colors 4>>",
                lambda: packed(line(1)),
            ),
            f"{EITHER} unsupported",
        ),
    }


def decoders() -> list[Hostile]:
    """What unpacks to far more than it is."""
    return files("poison: decoders", _of_content() | _of_pictures(), unclean=True)
