"""What is sent as a security key's answer and is none."""

from __future__ import annotations

import base64
import json
import secrets
from hashlib import sha256

import cbor2
import pytest

from drm.security_keys import KeyRefused, KeySite, credential_of, proved, registered

SITE = KeySite("localhost", "http://localhost:8081")
CHALLENGE = secrets.token_bytes(32)
PUBLIC = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)})


def written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def registering(form: str, statement: object) -> str:
    """The answer of a browser with a key that proves its maker in this form."""
    told = {"type": "webauthn.create", "challenge": written(CHALLENGE), "origin": SITE.origin}
    data = sha256(b"localhost").digest() + b"\x45\0\0\0\1" + bytes(16) + b"\0\x10" + b"\1" * 16 + PUBLIC
    whole = cbor2.dumps({"fmt": form, "attStmt": statement, "authData": data})
    response = {"clientDataJSON": written(json.dumps(told).encode()), "attestationObject": written(whole)}
    return json.dumps(
        {"id": written(b"\1" * 16), "rawId": written(b"\1" * 16), "type": "public-key", "response": response}
    )


FORMS = ["packed", "tpm", "android-key", "android-safetynet", "fido-u2f", "apple"]


@pytest.mark.parametrize(
    "statement", [{"x5c": []}, {"x5c": [], "sig": b"", "alg": -7}, {"x5c": 1}, [], 1, None], ids=repr
)
@pytest.mark.parametrize("form", FORMS)
def test_a_statement_of_the_maker_that_is_none_is_refused(form: str, statement: object) -> None:
    with pytest.raises(KeyRefused):
        registered(SITE, CHALLENGE, registering(form, statement))


@pytest.mark.parametrize("answer", ["[" * 16_000, '{"a":' * 3_000, '{"response":' + "[" * 15_000, "", "null", "\ud800"])
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    assert credential_of(answer) == ""
    with pytest.raises(KeyRefused):
        registered(SITE, CHALLENGE, answer)
    with pytest.raises(KeyRefused):
        proved(SITE, CHALLENGE, answer, PUBLIC, 0)
