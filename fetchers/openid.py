"""An OpenID provider: discovery, authorization code with PKCE, and an ID token of which everything is checked."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from delivery.errors import NotAllowed, Unavailable
from delivery.identity import Started
from delivery.sources import FetchFailed
from fetchers.http import GuardedHttp, Patience

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures by a key that the provider alone has. None, and none by the shared secret."""
KEPT = timedelta(hours=1)
KEYS_AGAIN = timedelta(minutes=1)
LEEWAY = 60
SECONDS = 10.0
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class OpenIdProvider:
    """One provider, by its issuer's address. Nothing is asked of it before somebody signs in."""

    def __init__(
        self, issuer: str, client_id: str, secret: str, scopes: str, agent: str, clock: Callable[[], datetime]
    ) -> None:
        self._issuer, self._client, self._secret, self._scopes, self._clock = issuer, client_id, secret, scopes, clock
        parts = urlsplit(issuer)
        # The operator named this host himself: it may lie in the own network. Whatever else it leads to may not.
        own = frozenset({(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))})
        self._http = GuardedHttp(agent, Patience(connect=3, read=5, total=SECONDS), allowed=own, lasting=False)
        self._told: tuple[datetime, dict[str, str]] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    @property
    def issuer(self) -> str:
        """Its name."""
        return self._issuer

    def start(self, back: str) -> Started:
        """Begin a sign-in that ends at the address ``back``: fresh state, nonce and PKCE verifier, 256 bits each."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        address = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            self._client,
            "code",
            redirect_uri=back,
            scope=self._scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Started(str(address), state, nonce, verifier)

    def finish(self, code: str, back: str, nonce: str, verifier: str) -> Mapping[str, object]:
        """The claims behind a code, completed from the provider's user info where the token has no address."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._client,
            "code_verifier": verifier,
        }
        answer = self._json(self._endpoint("token_endpoint"), form, self._basic(form))
        if not isinstance(answer, dict) or not isinstance(answer.get("id_token"), str):
            raise _refused("no token")
        claims = self._checked(answer["id_token"], nonce, answer.get("access_token"))
        more = self._metadata().get("userinfo_endpoint")
        if "email" not in claims and more and isinstance(answer.get("access_token"), str):
            found = self._json(_secure(more), None, f"Bearer {answer['access_token']}")
            if not isinstance(found, dict) or found.get("sub") != claims["sub"]:
                raise _refused("user info of somebody else")
            claims = {**found, **claims}
        return claims

    def leave(self, back: str) -> str:
        """Where to sign out at the provider too."""
        address = self._metadata().get("end_session_endpoint", "")
        if not address:
            return ""
        query = urlencode({"client_id": self._client, "post_logout_redirect_uri": back})
        return f"{_secure(address)}{'&' if '?' in address else '?'}{query}"

    def _checked(self, token: str, nonce: str, access_token: object) -> dict[str, object]:
        """Signature first, then issuer, audience, party, times, nonce and the access token's hash."""
        read = self._read(token)
        params = {"nonce": nonce, "client_id": self._client, "access_token": access_token}
        options = {
            "iss": {"essential": True, "values": [self._issuer]},
            "aud": {"essential": True, "values": [self._client]},
            "sub": {"essential": True},
            "nonce": {"essential": True},
        }
        claims = CodeIDToken(read.claims, read.header, options, params)
        try:
            claims.validate(now=int(self._clock().timestamp()), leeway=LEEWAY)
        except Exception as error:  # noqa: BLE001 - whatever a claim's check raises means that the token is not good
            raise _refused(type(error).__name__) from None
        audience = read.claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and read.claims.get("azp") != self._client:
            raise _refused("of another party")
        if not isinstance(read.claims["sub"], str) or not hmac.compare_digest(str(read.claims["nonce"]), nonce):
            raise _refused("not of this sign-in")
        return dict(read.claims)

    def _read(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(KEPT), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            pass  # keys may have been changed since we asked
        try:
            return jwt.decode(token, self._key_set(KEYS_AGAIN), algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise _refused(type(error).__name__) from None

    def _key_set(self, young: timedelta) -> KeySet:
        now = self._clock()
        if self._keys is None or now - self._keys[0] >= young:
            told = self._json(self._endpoint("jwks_uri"))
            try:
                self._keys = now, KeySet.import_key_set(told)
            except (JoseError, ValueError, KeyError, TypeError, AttributeError):
                raise _refused("no keys") from None
        return self._keys[1]

    def _metadata(self) -> dict[str, str]:
        now = self._clock()
        if self._told is None or now - self._told[0] >= KEPT:
            told = self._json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
            if not isinstance(told, dict) or told.get("issuer") != self._issuer:
                raise _refused("of another issuer")
            lists = {name: " ".join(map(str, value)) for name, value in told.items() if isinstance(value, list)}
            self._told = now, {**lists, **{name: value for name, value in told.items() if isinstance(value, str)}}
        return self._told[1]

    def _endpoint(self, name: str) -> str:
        return _secure(self._metadata().get(name, ""))

    def _basic(self, form: dict[str, str]) -> str:
        """How we prove who we are: by HTTP Basic, unless the provider takes the secret in the form alone."""
        if not self._secret:
            return ""
        told = self._metadata().get("token_endpoint_auth_methods_supported", "client_secret_basic").split()
        if "client_secret_basic" not in told and "client_secret_post" in told:
            form["client_secret"] = self._secret
            return ""
        pair = f"{quote(self._client, safe='')}:{quote(self._secret, safe='')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def _json(self, url: str, form: Mapping[str, str] | None = None, authorization: str = "") -> Any:
        try:
            return self._http.get_json(url, time.monotonic() + SECONDS, form, authorization)
        except FetchFailed as error:
            if error.permanent and form is not None:
                raise _refused("code refused") from None
            raise Unavailable("provider-away", "The sign-in provider does not answer. Try again.", 10) from error


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise _refused("not over TLS")
    return url


def _refused(why: str) -> NotAllowed:
    return NotAllowed("openid-failed", f"The provider's answer cannot be used ({why}).")
