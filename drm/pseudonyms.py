"""The key under which a reader is counted: a keyed hash that nobody can compute without the reader's own secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets

SECRET_BYTES = 32
PURPOSE = b"rushlight.ledger.v1|"


def new_secret() -> bytes:
    """A fresh secret for one reader."""
    return secrets.token_bytes(SECRET_BYTES)


def ledger_key(secret: bytes, person_id: str) -> str:
    """HMAC-SHA-256 of a person's id under his own secret, 16 bytes in hexadecimal.

    Promises the same key for the same secret, so that rules count a reader as one; says nothing about him, and is another
    key than the one the audit log carries.
    """
    return hmac.new(secret, PURPOSE + person_id.encode(), hashlib.sha256).hexdigest()[:32]
