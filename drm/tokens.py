"""Signed tokens: links, mail confirmations and landing-page nonces (itsdangerous), API tokens (PyJWT), and the keys behind them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from itsdangerous import BadData, SignatureExpired, URLSafeSerializer, URLSafeTimedSerializer

MIN_KEY_BYTES = 32
API_AUDIENCE = "rushlight-api"
CLOCKS_DIFFER = timedelta(minutes=5)
"""A token may come from a machine whose clock is ahead by so much."""


class TokenError(Exception):
    """A token is not ours, is damaged, or is over. ``expired`` tells the last case."""

    def __init__(self, text: str, expired: bool = False) -> None:
        super().__init__(text)
        self.expired = expired


@dataclass(frozen=True)
class KeyRing:
    """Random keys by name, newest last in each list. Derived keys are separated by purpose, so no key serves two.

    ``keys`` maps a key id to at least 32 random bytes; the last id signs, all verify.
    """

    keys: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("a key ring needs at least one key")
        for name, key in self.keys.items():
            if len(key) < MIN_KEY_BYTES:
                raise ValueError(f"key {name!r} has {len(key)} bytes; at least {MIN_KEY_BYTES} are needed")

    @property
    def current(self) -> str:
        """Id of the key that signs."""
        return list(self.keys)[-1]

    def derive(self, purpose: str, key_id: str | None = None) -> bytes:
        """A 32-byte key for one purpose (HMAC-SHA-256 of the purpose under the ring's key)."""
        return hmac.new(self.keys[key_id or self.current], purpose.encode(), hashlib.sha256).digest()

    def all_for(self, purpose: str) -> list[bytes]:
        """Derived keys of the whole ring, oldest first, as itsdangerous wants them."""
        return [self.derive(purpose, key_id) for key_id in self.keys]


class LinkSigner:
    """Names a delivery in a link. The token proves the address only; the delivery's row says what may still be opened."""

    _salt = "rushlight.link.v1"

    def __init__(self, ring: KeyRing) -> None:
        self._serializer = URLSafeSerializer(
            ring.all_for(self._salt),
            salt=self._salt,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def sign(self, delivery: str) -> str:
        """The token for a delivery number. The same number always gives the same token."""
        return str(self._serializer.dumps(delivery))

    def read(self, token: str) -> str:
        """The delivery number in a token; TokenError for anything we did not sign."""
        try:
            value = self._serializer.loads(token)
        except BadData:
            raise TokenError("not a link of this service") from None
        if not isinstance(value, str):
            raise TokenError("not a link of this service")
        return value


class PurposeSigner:
    """Short-lived tokens for one purpose: confirming an address, setting a password, opening a window."""

    def __init__(self, ring: KeyRing, purpose: str) -> None:
        self._salt = f"rushlight.{purpose}.v1"
        self._serializer = URLSafeTimedSerializer(
            ring.all_for(self._salt),
            salt=self._salt,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def sign(self, value: Sequence[str]) -> str:
        """A token that carries these strings and the time."""
        return str(self._serializer.dumps(list(value)))

    def read(self, token: str, max_age: timedelta) -> tuple[str, ...]:
        """The strings of a token at most ``max_age`` old, else TokenError."""
        try:
            value = self._serializer.loads(token, max_age=int(max_age.total_seconds()))
        except SignatureExpired:
            raise TokenError("this token is over", expired=True) from None
        except BadData:
            raise TokenError("not a token of this service") from None
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise TokenError("not a token of this service")
        return tuple(value)


@dataclass(frozen=True)
class ApiClaims:
    """Who a valid API token speaks for."""

    subject: str
    token_id: str
    expires_at: datetime


class ApiTokens:
    """Bearer tokens of the API: HS256 only, key ids from our own ring, expiry and audience required."""

    _purpose = "rushlight.api.v1"

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def issue(
        self, subject: str, now: datetime, lifetime: timedelta, token_id: str | None = None
    ) -> tuple[str, ApiClaims]:
        """A token for ``subject`` that ends ``lifetime`` after ``now``."""
        claims = ApiClaims(
            subject, token_id or secrets.token_hex(16), (now + lifetime).astimezone(UTC).replace(microsecond=0)
        )
        payload = {
            "sub": claims.subject,
            "jti": claims.token_id,
            "aud": API_AUDIENCE,
            "iat": int(now.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        key_id = self._ring.current
        return jwt.encode(
            payload, self._ring.derive(self._purpose, key_id), algorithm="HS256", headers={"kid": key_id}
        ), claims

    def read(self, token: str, now: datetime) -> ApiClaims:
        """The claims of a valid token at the instant ``now``; TokenError otherwise."""
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            if not isinstance(key_id, str) or key_id not in self._ring.keys:
                raise TokenError("not a token of this service")
            payload = jwt.decode(
                token,
                self._ring.derive(self._purpose, key_id),
                algorithms=["HS256"],
                audience=API_AUDIENCE,
                # Times are compared below with the caller's clock: this module has none of its own.
                options={
                    "require": ["exp", "aud", "jti", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "enforce_minimum_key_length": True,
                },
            )
            claims = ApiClaims(
                str(payload["sub"]), str(payload["jti"]), datetime.fromtimestamp(int(payload["exp"]), UTC)
            )
            begins = max(int(payload.get(name, 0)) for name in ("iat", "nbf"))
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError):
            raise TokenError("not a token of this service") from None
        if begins > (now + CLOCKS_DIFFER).timestamp():
            raise TokenError("not a token of this service")
        if now >= claims.expires_at:
            raise TokenError("this token is over", expired=True)
        return claims


def secret_hash(secret: str) -> str:
    """What is stored of a random secret: its SHA-256. Enough for 128 random bits, and useless to a thief of the database."""
    return hashlib.sha256(secret.encode()).hexdigest()


def window_secret(ring_key: bytes, nonce: str) -> str:
    """The 128-bit secret of the download window that this nonce opens; the same nonce always leads to the same window."""
    return hmac.new(ring_key, nonce.encode(), hashlib.sha256).hexdigest()[:32]
