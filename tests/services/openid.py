"""OpenID providers on loopback: one by other hands, and one of our own that can be told to lie."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.services.processes import running, wait_until


@contextlib.contextmanager
def other_hands(folder: Path, *users: dict[str, object]) -> Iterator[str]:
    """oidc-provider-mock in a process of its own, with users by their claims; its issuer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    known = [word for user in users for word in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), "-n", "true", *known]
    issuer, log = f"http://127.0.0.1:{port}", folder / "provider.log"

    def answers() -> bool:
        try:
            return httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    with running(command, folder, log) as process:
        wait_until(answers, process, log)
        yield issuer


@dataclass
class CrookedProvider:
    """Gives one code, checks the PKCE verifier, and says in the token what it is told to."""

    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "k1"}))
    signing: RSAKey | None = None
    algorithm: str = "RS256"
    token: str = ""
    issuer: str = ""
    told_issuer: str = ""
    elsewhere: str = ""
    methods: list[str] = field(default_factory=list)
    challenge: str = ""
    posts: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    def metadata(self) -> dict[str, object]:
        """The discovery document."""
        return {
            "issuer": self.told_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": self.elsewhere or f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **({"token_endpoint_auth_methods_supported": self.methods} if self.methods else {}),
        }

    def key_set(self) -> dict[str, object]:
        """The public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """The token endpoint."""
        self.posts.append(form)
        made = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(made).rstrip(b"=").decode() != self.challenge:
            return 400, {"error": "invalid_grant"}
        header = {"alg": self.algorithm, "kid": "k1"}
        token = self.token or jwt.encode(header, self.claims, self.signing or self.key, algorithms=[self.algorithm])
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": token}


@contextlib.contextmanager
def crooked() -> Iterator[CrookedProvider]:
    """A provider of our own on a free port of 127.0.0.1."""
    provider = CrookedProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, provider.key_set() if self.path == "/jwks" else provider.metadata())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider.authorizations.append(self.headers.get("Authorization", ""))
            self._send(*provider.answer({name: values[0] for name, values in parse_qs(body).items()}))

        def _send(self, status: int, content: dict[str, object]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield provider
    server.shutdown()
    server.server_close()


def query_of(address: str) -> dict[str, str]:
    """The query of an address, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
