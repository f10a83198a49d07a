"""Encrypts the objects of a file that qpdf saved in clear (ISO 32000-2, 7.6.3): AES-256 in CBC mode, one vector each.

qpdf can encrypt as it saves. Its AES takes five times as long as the one that the processor has instructions for, and it
hashes passwords anew for each file, which takes longer than saving a paper does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from drm.pdf.values import PdfRefused

PIECE = 256 * 1024
HEAD = 4096
END = b"\nendstream\nendobj\n"
TOKEN = re.compile(
    rb"(?P<string>\((?:[^()\\]++|\\[\s\S])*+\)|<[0-9a-fA-F]*+>)|(?P<data>>>\nstream\n)|<<|>>|/Length (?P<length>\d+)|/Crypt "
)
"""What matters in an object as qpdf writes it: brackets in strings are escaped, and in names no bracket stands as itself."""

ESCAPE = re.compile(rb"\\([0-7]{1,3}|[\s\S])")
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Seal:
    """Encrypts with one file key of 32 bytes, under vectors that nobody can foretell."""

    def __init__(self, file_key: bytes) -> None:
        self._key = algorithms.AES(file_key)

    def begin(self) -> tuple[bytes, CipherContext]:
        """A new vector, which comes first, and what encrypts behind it."""
        vector = os.urandom(16)
        return vector, Cipher(self._key, modes.CBC(vector)).encryptor()

    def string(self, data: bytes) -> bytes:
        """A string encrypted, in hexadecimal."""
        vector, cipher = self.begin()
        return b"<%s>" % (vector + cipher.update(data + _padding(len(data)))).hex().encode()


def _padding(length: int) -> bytes:
    missing = 16 - length % 16
    return bytes([missing]) * missing


def sealed_object(source: BinaryIO, start: int, end: int, seal: Seal) -> Iterator[bytes]:
    """The object that stands from ``start`` to ``end`` with its strings and its stream encrypted, piece by piece.

    ValueError where it is not as qpdf writes objects; PdfRefused ``unsupported`` where a stream names its own encryption.
    """
    source.seek(start)
    data = source.read(min(HEAD, end - start))
    head = _head(data)
    if head is None and len(data) < end - start:
        data += source.read(end - start - len(data))
        head = _head(data)
    if head is None:
        yield _sealed_strings(data, seal)
        return
    at, where = head
    length = end - start - at - len(END)
    if int(data[slice(*where)]) != length:
        raise ValueError("a stream is of another length than it says")
    sealed = 16 + length // 16 * 16 + 16
    yield _sealed_strings(data[: where[0]], seal) + b"%d" % sealed + _sealed_strings(data[where[1] : at], seal)
    source.seek(start + at)
    yield from _sealed_stream(source, length, seal)
    yield END


def _head(data: bytes) -> tuple[int, tuple[int, int]] | None:
    """Where the data of a stream begins, and where its length is written; None for what is no stream."""
    depth, length = 0, None
    for token in TOKEN.finditer(data):
        kind = token.lastgroup
        if kind == "data":
            if length is None or depth != 1:
                raise ValueError("a stream does not say how long it is")
            return token.end(), length
        if kind == "length" and depth == 1:
            length = token.span("length")
        elif token[0] == b"<<":
            depth += 1
        elif token[0] == b">>":
            depth -= 1
        elif token[0] == b"/Crypt ":
            raise PdfRefused("unsupported", "A part of the file is encrypted in a way of its own.")
    return None


def _sealed_strings(data: bytes, seal: Seal) -> bytes:
    if b"(" not in data and not re.search(rb"<[0-9a-fA-F>]", data):
        return data
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


def _sealed_stream(source: BinaryIO, length: int, seal: Seal) -> Iterator[bytes]:
    vector, cipher = seal.begin()
    yield vector
    left = length
    while left:
        piece = source.read(min(PIECE, left))
        if not piece:
            raise ValueError("the saved file ends early")
        left -= len(piece)
        yield cipher.update(piece)
    yield cipher.update(_padding(length))
    if source.read(len(END)) != END:
        raise ValueError("a stream does not end where it should")
