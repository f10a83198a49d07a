"""Numbers that people read aloud: request numbers and delivery numbers, without letters that look alike."""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REQUEST_PREFIX = "TR"
DELIVERY_PREFIX = "RL"


def request_number() -> str:
    """A new random request number such as TR-7K3M-Q2PD."""
    return _spell(REQUEST_PREFIX, secrets.token_bytes(8))


def delivery_number(key: bytes, claim: str) -> str:
    """The delivery number of a claim: the same claim always has the same one, so that a repeated job makes the same copy."""
    return _spell(DELIVERY_PREFIX, hmac.new(key, claim.encode(), hashlib.sha256).digest())


def check_code(key: bytes, delivery: str) -> str:
    """The code in a copy's QR: the delivery number and six characters that only we can compute."""
    return f"{delivery}-{_letters(hmac.new(key, delivery.encode(), hashlib.sha256).digest(), 6)}"


def delivery_of_code(key: bytes, code: str) -> str | None:
    """The delivery number in a genuine check code, else None."""
    delivery, _, _ = code.strip().upper().rpartition("-")
    if delivery and hmac.compare_digest(check_code(key, delivery).encode(), code.strip().upper().encode()):
        return delivery
    return None


def _spell(prefix: str, random: bytes) -> str:
    letters = _letters(random, 8)
    return f"{prefix}-{letters[:4]}-{letters[4:]}"


def _letters(random: bytes, count: int) -> str:
    number = int.from_bytes(hashlib.sha256(random).digest(), "big")
    letters = []
    for _ in range(count):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)
