"""Codes that an app shows for thirty seconds (RFC 6238), and recovery codes for when it is lost."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp

STEP = 30
DIGITS = 6
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_CODES = 10


def new_secret() -> str:
    """A random secret of 160 bits for an app, in Base32."""
    return str(pyotp.random_base32())


def app_address(secret: str, account: str, issuer: str) -> str:
    """What an app reads from a QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is: of now, the one before or the one after, for clocks that go wrong by half a minute. Else None.

    Says nothing on whether it was used before: who asks keeps the step, and takes only later ones.
    """
    written = "".join(code.split())
    if len(written) != DIGITS or not (written.isascii() and written.isdigit()):
        return None
    here = int(now.timestamp()) // STEP
    found = None
    for step in (here - 1, here, here + 1):
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), written):
            found = step
    return found


def recovery_codes() -> tuple[str, ...]:
    """Ten random codes of about 79 bits in four groups, without letters that look alike."""
    return tuple(
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(RECOVERY_CODES)
    )


def recovery_hash(person_id: str, code: str) -> str:
    """What is kept of a recovery code. They are random and long, so that a fast hash is enough."""
    written = "".join(c for c in code.casefold() if c in ALPHABET)
    return hashlib.sha256(f"rushlight.recovery.v1|{person_id}|{written}".encode()).hexdigest()
