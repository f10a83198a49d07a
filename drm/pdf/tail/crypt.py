"""The standard security handler, revision 6 (ISO 32000-2, 7.6.4): hashing passwords, and the Encrypt dictionary."""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drm.pdf.values import Permissions

LONGEST_PASSWORD = 127
ZERO = bytes(16)
HASHES = (hashlib.sha256, hashlib.sha384, hashlib.sha512)
ALL_BITS = 0xFFFFFFFF
PRINT, MODIFY, COPY, ANNOTATE, FORMS, ASSEMBLE, PRINT_WELL = 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 8, 1 << 10, 1 << 11
"""Bits 3, 4, 5, 6, 9, 11 and 12 of /P, counted from 1 (ISO 32000-2, table 22)."""


@functools.lru_cache(maxsize=16)
def _aes(key: bytes) -> algorithms.AES:
    return algorithms.AES(key)


def encrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES in CBC mode; ``data`` is a multiple of 16 bytes."""
    encryptor = Cipher(_aes(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def cbc_chain(key: bytes) -> Callable[[bytes], bytes]:
    """Encrypts whole blocks, each call going on where the one before ended; the first block of all has a zero vector."""
    return _chaining(key).encryptor().update


@functools.lru_cache(maxsize=16)
def _chaining(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(_aes(key), modes.CBC(ZERO))


def padded(data: bytes) -> bytes:
    """The data with PKCS #7 padding to whole blocks (ISO 32000-2, 7.6.3.1)."""
    missing = 16 - len(data) % 16
    return data + bytes([missing]) * missing


def hash_password(password: bytes, salt: bytes, user: bytes = b"") -> bytes:
    """Algorithm 2.B: 32 bytes. ``user`` is the whole /U where the owner's password is hashed."""
    key = hashlib.sha256(password + salt + user).digest()
    turn = 0
    while True:
        block = encrypt_cbc(key[:16], key[16:32], (password + key + user) * 64)
        # the first 16 bytes as one number modulo 3; 256 leaves 1, so the sum of the bytes leaves the same
        key = HASHES[sum(block[:16]) % 3](block).digest()
        turn += 1
        if turn >= 64 and block[-1] <= turn - 32:
            return key[:32]


@dataclass(frozen=True)
class Lock:
    """Both passwords of a copy, hashed: /U and /O, and the keys that wrap the file key in /UE and /OE."""

    user: bytes
    user_key: bytes
    owner: bytes
    owner_key: bytes


@functools.lru_cache(maxsize=1024)
def make_lock(password: bytes, owner: bytes, salts: bytes) -> Lock:
    """The lock for a user's and an owner's password (algorithms 8 and 9), from 32 bytes of salt.

    Takes some milliseconds, and depends on no document: the results are kept.
    """
    password, owner = password[:LONGEST_PASSWORD], owner[:LONGEST_PASSWORD]
    first, second, third, fourth = (salts[start : start + 8] for start in range(0, 32, 8))
    user = hash_password(password, first) + first + second
    return Lock(
        user,
        hash_password(password, second),
        hash_password(owner, third, user) + third + fourth,
        hash_password(owner, fourth, user),
    )


@functools.lru_cache(maxsize=4096)
def wrapped_file_key(lock: Lock, file_key: bytes) -> tuple[bytes, bytes]:
    """/UE and /OE: the file key under each password's key, without padding and with a zero vector."""
    return encrypt_cbc(lock.user_key, ZERO, file_key), encrypt_cbc(lock.owner_key, ZERO, file_key)


def permission_bits(permissions: Permissions) -> int:
    """/P as the signed number that it is. Reading aloud (bit 10) is always permitted, and so are annotations."""
    forbidden = MODIFY | FORMS | ASSEMBLE | 0b11
    if permissions.print != "full":
        forbidden |= PRINT_WELL
    if permissions.print == "none":
        forbidden |= PRINT
    if not permissions.copy_text:
        forbidden |= COPY
    bits = ALL_BITS & ~forbidden
    return bits - (1 << 32)


@functools.lru_cache(maxsize=4096)
def encrypt_dictionary(file_key: bytes, lock: Lock, bits: int, random: bytes) -> bytes:
    """The Encrypt dictionary; ``random`` fills the last four bytes of /Perms (algorithm 10)."""
    wrapped_user, wrapped_owner = wrapped_file_key(lock, file_key)
    plain = struct.pack("<i", bits) + b"\xff\xff\xff\xffTadb" + random[:4]
    encryptor = Cipher(algorithms.AES(file_key), modes.ECB()).encryptor()  # noqa: S305  # nosec - one block, as the format says
    perms = encryptor.update(plain) + encryptor.finalize()
    return (
        b"<</Filter/Standard/V 5/R 6/Length 256/CF<</StdCF<</CFM/AESV3/Length 32>>>>"
        b"/StmF/StdCF/StrF/StdCF/P %d/U%s/UE%s/O%s/OE%s/Perms%s>>"
    ) % (bits, quoted(lock.user), quoted(wrapped_user), quoted(lock.owner), quoted(wrapped_owner), quoted(perms))


def quoted(data: bytes) -> bytes:
    """Any bytes as a literal string (ISO 32000-2, 7.3.4.2). Whatever byte of it is lost, it is seen by its length or its shape."""
    escaped = data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)").replace(b"\r", b"\\015")
    return b"(%s)" % escaped
