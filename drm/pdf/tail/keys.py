"""The keys of masters: wrapped by a versioned site key, and never written anywhere in clear."""

from __future__ import annotations

import functools
import hashlib
import hmac
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drm.pdf.reader_password import reader_secret
from drm.pdf.tail.crypt import Lock, make_lock
from drm.pdf.tail.values import Master
from drm.pdf.values import PdfRefused
from drm.tokens import KeyRing

WRAPPING, OWNER, SALTS = "rushlight.pdf.wrap.v1", "rushlight.pdf.owner.v1", "rushlight.pdf.salts.v1"
NONCE = 12


@dataclass(frozen=True)
class MasterSecret:
    """What must stay secret of one master: its file key, the seed of its copies' vectors and salts, and two hashes.

    ``user_key`` and ``owner_key`` wrap the file key in copies that open without a password. All are 32 bytes long.
    """

    file_key: bytes
    seed: bytes
    user_key: bytes
    owner_key: bytes


class MasterKeys:
    """Wraps with the newest key of a ring, opens with the one that a master's record names."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._wrapping = {version: ring.derive(WRAPPING, version) for version in ring.keys}

    def site_lock(self) -> Lock:
        """The lock of copies that open without a password: one for the site and its key, so hashed once."""
        salts = self._ring.derive(SALTS)
        return make_lock(b"", self._ring.derive(OWNER).hex().encode(), salts)

    def seal(self, master: Master, file_key: bytes, seed: bytes) -> Master:
        """The record with its secrets inside, wrapped by the newest site key and bound to the master's id."""
        lock = self.site_lock()
        secret = file_key + seed + lock.user_key + lock.owner_key
        return replace(self._wrapped(master, secret), user=lock.user, owner=lock.owner)

    def _wrapped(self, master: Master, secret: bytes) -> Master:
        version, bound = self._ring.current, master.id.encode()
        key = self._wrapping[version]
        # The nonce follows from key and content, so no two contents ever share one, and no randomness is needed.
        nonce = hmac.digest(key, b"nonce" + bound + secret, "sha256")[:NONCE]
        return replace(master, secret=nonce + AESGCM(key).encrypt(nonce, secret, bound), key_version=version)

    def open(self, master: Master) -> MasterSecret:
        """The secrets of a master; PdfRefused ``no-key`` where its site key is gone or is another one."""
        key = self._wrapping.get(master.key_version)
        if key is None:
            raise PdfRefused("no-key", f"The key {master.key_version!r} that protects this document is not here.")
        try:
            return _opened(key, master.secret, master.id)
        except InvalidTag:
            raise PdfRefused("no-key", "The key that is here does not open this document.") from None

    def rewrap(self, master: Master) -> Master:
        """The record under the newest site key. Its copies keep their bytes: nothing in them follows from site keys."""
        secret = self.open(master)
        return self._wrapped(master, secret.file_key + secret.seed + secret.user_key + secret.owner_key)


@functools.lru_cache(maxsize=1024)
def _opened(key: bytes, sealed: bytes, bound: str) -> MasterSecret:
    secret = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound.encode())
    return MasterSecret(*(secret[start : start + 32] for start in range(0, 128, 32)))


def derived(secret: MasterSecret, master: Master, delivery: str, what: str, length: int) -> bytes:
    """Bytes for one purpose in one copy: keyed BLAKE2b (RFC 7693) under the master's seed; at most 64."""
    return hashlib.blake2b(f"{what}|{master.id}|{delivery}".encode(), key=secret.seed, digest_size=length).digest()


def reader_lock(secret: MasterSecret, master: Master, delivery: str, password: str | None) -> Lock:
    """The lock of one copy. With a password its salts are its own, so that no two copies can be linked by them."""
    if not password:
        return Lock(master.user, secret.user_key, master.owner, secret.owner_key)
    owner = derived(secret, master, delivery, "owner", 32).hex().encode()
    return make_lock(reader_secret(password), owner, derived(secret, master, delivery, "salts", 32))
