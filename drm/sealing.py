"""Seals what names a person: AES-256-GCM under a key of its own, bound to the record that it belongs to."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drm.tokens import KeyRing

PURPOSE = "rushlight.identity.v1"
NONCE = 12


class SealBroken(Exception):
    """The sealed text cannot be opened: another key, another record, or it was changed."""


class Sealer:
    """Seals with the newest key of a ring, opens with any of them."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def seal(self, text: str, record: str) -> bytes:
        """The text, readable only with the key and only as part of ``record``."""
        nonce = os.urandom(NONCE)
        return nonce + AESGCM(self._ring.derive(PURPOSE)).encrypt(nonce, text.encode(), record.encode())

    def open(self, sealed: bytes, record: str) -> str:
        """The text again; SealBroken when it is not of this record or was changed."""
        for key in reversed(self._ring.all_for(PURPOSE)):
            try:
                return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], record.encode()).decode()
            except InvalidTag:
                continue
        raise SealBroken("this record cannot be opened with the keys that are there")
