"""Passwords: hashed with Argon2id, checked in the same time whether or not the account exists."""

from __future__ import annotations

import secrets
import string
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 256

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """The Argon2id hash of a password (parameters of OWASP's cheat sheet: 19 MiB, 2 passes)."""
    return _hasher.hash(password)


def check_password(stored: str, given: str) -> bool:
    """Whether the password fits. An empty or unknown hash takes as long and fits nothing."""
    try:
        return _hasher.verify(stored or _nobody(), given) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex(16))


def new_password() -> str:
    """A random password of four groups of five letters and digits, about 98 bits, easy to type."""
    letters = "".join(c for c in string.ascii_lowercase + string.digits if c not in "l1o0")
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def weakness(password: str) -> str:
    """The code of what is wrong with a new password; "" when it is good."""
    if len(password) < MIN_LENGTH:
        return "password-too-short"
    if len(password) > MAX_LENGTH:
        return "too-long"
    if len(set(password)) < 5:
        return "password-too-simple"
    return ""
