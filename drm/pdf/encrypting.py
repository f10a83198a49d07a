"""A whole file saved in clear, written out encrypted (AES-256, revision 6) with an Encrypt dictionary of our own."""

from __future__ import annotations

import functools
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from drm.pdf.reader_password import reader_secret
from drm.pdf.sealing import Seal
from drm.pdf.tail.crypt import Lock, encrypt_dictionary, make_lock, permission_bits
from drm.pdf.tail.cutting import LARGEST, PIECE, Sink, copy_objects
from drm.pdf.tail.index import PLAIN, Index, master_stream, read_index
from drm.pdf.values import PdfRefused, Permissions

SAVED_VERSION = ("1.7", 8)
"""What a file must be saved as: encryption of revision 6 came with extension level 8 of PDF 1.7."""


@functools.cache
def open_lock() -> Lock:
    """The lock of files that open without a password. Its hashes depend on no file; nobody is told the owner's password."""
    return make_lock(b"", secrets.token_hex(16).encode(), secrets.token_bytes(32))


def lock_for(password: str | None) -> Lock:
    """The lock of one file; its salts are its own where it has a password."""
    if not password:
        return open_lock()
    return make_lock(reader_secret(password), secrets.token_hex(16).encode(), secrets.token_bytes(32))


def write_encrypted(saved: BinaryIO, out: Path, lock: Lock, permissions: Permissions) -> None:
    """Write the file that qpdf saved, with object streams and in clear, to ``out``, encrypted.

    PdfRefused ``too-large`` where offsets would not fit into the index.
    """
    index = read_index(saved, os.fstat(saved.fileno()).st_size)
    if index.own is None:
        raise ValueError("the file was saved without a cross-reference stream")
    file_key, number = secrets.token_bytes(32), len(index.entries)
    dictionary = encrypt_dictionary(file_key, lock, permission_bits(permissions), secrets.token_bytes(4))
    with out.open("wb", buffering=PIECE) as target:
        sink = Sink(target)
        moved = copy_objects(saved, sink, index, (), Seal(file_key))
        whole = Index(index.offset, [*index.entries, (PLAIN, 0, 0)], index.own)
        moved.append(sink.length)
        sink.write(b"%d 0 obj\n%s\nendobj\n" % (number, dictionary))
        start = sink.length
        if start > LARGEST:
            raise PdfRefused("too-large", "The copy has more than four gigabytes.")
        identifiers = (index.first_id.encode(), secrets.token_hex(16).encode())
        trailer = b"/ID[<%s><%s>]/Encrypt %d 0 R" % (*identifiers, number)
        if index.info:
            trailer += b"/Info %d 0 R" % index.info
        sink.write(master_stream(whole, moved, start, (), index.root, trailer))
        sink.write(b"startxref\n%d\n%%%%EOF\n" % start)
