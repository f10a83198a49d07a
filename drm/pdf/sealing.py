"""Encrypts the objects of a file that qpdf saved in clear (ISO 32000-2, 7.6.3): AES-256 in CBC mode, one vector each.

qpdf can encrypt as it saves. Its AES takes five times as long as the one that the processor has instructions for, and it
hashes passwords anew for each file, which takes longer than saving a paper does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drm.pdf.packing import packed_harder
from drm.pdf.values import PdfRefused

PIECE = 256 * 1024
END = b"\nendstream\nendobj\n"
TOKEN = re.compile(
    rb"(?P<string>\((?:[^()\\]++|\\[\s\S])*+\)|<[0-9a-fA-F]*+>)|(?P<data>>>\nstream\n)|<<|>>|/Length (?P<length>\d+)|/Crypt "
)
"""What matters in an object as qpdf writes it: brackets in strings are escaped, and in names no bracket stands as itself."""

PACKED_OBJECTS = (b"/Type /ObjStm ", b"/Filter /FlateDecode ")
"""What stands in the head of objects that qpdf packed together, with zlib's usual level."""

BESIDE = re.compile(rb" (?=[/<>\[\]])|(?<=[<>\[\]]) ")
"""Spaces that part nothing (ISO 32000-2, 7.2.3): names and brackets end what stands before them."""

ESCAPE = re.compile(rb"\\([0-7]{1,3}|[\s\S])")
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Seal:
    """Encrypts with one file key of 32 bytes, under vectors that nobody can foretell.

    Setting up a cipher for each stream would take longer than encrypting it. So all of them go through one, in one chain:
    sixteen random bytes before each, encrypted with what went before, come out as its vector.
    """

    def __init__(self, file_key: bytes) -> None:
        self._chain = Cipher(algorithms.AES(file_key), modes.CBC(os.urandom(16))).encryptor()

    def begin(self, data: bytes) -> bytes:
        """A vector and the first of what it is for; whole blocks only, here and in ``more``."""
        return self._chain.update(os.urandom(16) + data)

    def more(self, data: bytes) -> bytes:
        """What comes behind ``begin``."""
        return self._chain.update(data)

    def string(self, data: bytes) -> bytes:
        """A string encrypted, in hexadecimal."""
        return b"<%s>" % self.begin(data + _padding(len(data))).hex().encode()


def _padding(length: int) -> bytes:
    missing = 16 - length % 16
    return bytes([missing]) * missing


@dataclass(frozen=True)
class _Head:
    """The part of a stream before its data: where the data begins, where its length is written, whether it has strings."""

    end: int
    length: tuple[int, int]
    strings: bool

    def sealed(self, data: bytes, length: int, seal: Seal) -> bytes:
        """The same with its strings encrypted and another length."""
        before, after = data[: self.length[0]], data[self.length[1] : self.end]
        if self.strings:
            before, after = _sealed_strings(before, seal), _sealed_strings(after, seal)
        return b"%s%d%s" % (before, length, after)


def sealed_object(source: BinaryIO, length: int, seal: Seal, *, tight: bool = False) -> Iterator[bytes]:
    """The object in the next ``length`` bytes with its strings and its stream encrypted, piece by piece.

    ``tight`` writes it in as few bytes as it takes: spaces beside brackets and names go, and objects that are packed
    together are packed as well as deflate can.

    ValueError where it is not as qpdf writes objects; PdfRefused ``unsupported`` where a stream names its own encryption.
    """
    data = source.read(min(PIECE, length))
    head = _head(data)
    if head is None:
        yield _sealed_strings(data + source.read(length - len(data)), seal)
        return
    size = length - head.end - len(END)
    if int(data[slice(*head.length)]) != size:
        raise ValueError("a stream is of another length than it says")
    if len(data) == length:
        if not data.endswith(END):
            raise ValueError("a stream does not end where it should")
        content = data[head.end : -len(END)]
        if tight and all(word in data[: head.end] for word in PACKED_OBJECTS):
            content = packed_harder(content)
        front = head.sealed(data, _sealed_length(len(content)), seal)
        if tight and not head.strings:
            front = BESIDE.sub(b"", front)
        yield b"".join([front, seal.begin(content + _padding(len(content))), END])
        return
    yield head.sealed(data, _sealed_length(size), seal)
    yield from _sealed_pieces(source, data[head.end :], size, seal)


def _sealed_length(size: int) -> int:
    return 16 + size // 16 * 16 + 16


def _sealed_pieces(source: BinaryIO, first: bytes, size: int, seal: Seal) -> Iterator[bytes]:
    """A stream of ``size`` bytes, of which the first are read already, in pieces of whole blocks."""
    yield seal.begin(b"")
    rest, left = first[:size], size - len(first[:size])
    while left:
        piece = source.read(min(PIECE, left))
        if not piece:
            raise ValueError("the saved file ends early")
        left -= len(piece)
        rest += piece
        whole = len(rest) // 16 * 16
        yield seal.more(rest[:whole])
        rest = rest[whole:]
    yield seal.more(rest + _padding(size)) + END
    if first[size:] + source.read(len(END) - len(first[size:])) != END:
        raise ValueError("a stream does not end where it should")


def _head(data: bytes) -> _Head | None:
    """What stands before the data of a stream; None for what is no stream."""
    depth, length, strings = 0, None, False
    for token in TOKEN.finditer(data):
        kind = token.lastgroup
        if kind == "data":
            if length is None or depth != 1:
                raise ValueError("a stream does not say how long it is")
            return _Head(token.end(), length, strings)
        if kind == "length":
            length = token.span("length") if depth == 1 else length
        elif kind == "string":
            strings = True
        elif token[0] == b"<<":
            depth += 1
        elif token[0] == b">>":
            depth -= 1
        else:
            raise PdfRefused("unsupported", "A part of the file is encrypted in a way of its own.")
    return None


def _sealed_strings(data: bytes, seal: Seal) -> bytes:
    return TOKEN.sub(lambda token: seal.string(_plain(token[0])) if token["string"] else token[0], data)


def _plain(string: bytes) -> bytes:
    """The bytes of a string as it is written."""
    if string.startswith(b"<"):
        return bytes.fromhex(string[1:-1].decode())
    return ESCAPE.sub(_unescaped, string[1:-1])


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1].isdigit():
        return bytes([int(found[1], 8) & 255])
    return ESCAPES.get(found[1], found[1])
