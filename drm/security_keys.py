"""Security keys (WebAuthn): what a browser is asked, and whether the key's answer holds."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

LONGEST_ANSWER = 16_384
# What the library raises for an answer that is none: its own errors, and those of code that did not expect such a one.
NO_ANSWER = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True)
class KeySite:
    """For whom keys prove somebody: the host's name, and the address pages come from."""

    host: str
    origin: str


@dataclass(frozen=True)
class Asked:
    """What the browser is to be asked, as JSON, and the challenge in it."""

    options: str
    challenge: bytes


@dataclass(frozen=True)
class NewKey:
    """A key that was registered: its id in hex, its public key, its count of signatures."""

    credential: str
    public_key: bytes
    counter: int


class KeyRefused(Exception):
    """The answer is none, of another site or challenge, or its signature does not hold."""


def _known(credentials: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes.fromhex(credential)) for credential in credentials]


def ask_to_register(site: KeySite, handle: bytes, account: str, credentials: Sequence[str]) -> Asked:
    """Ask for a new key; one of ``credentials`` is not taken again. No attestation: which maker a key has is nobody's business."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Rushlight",
        user_name=account,
        user_id=handle,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.DISCOURAGED
        ),
        exclude_credentials=_known(credentials),
    )
    return Asked(webauthn.options_to_json(options), challenge)


def registered(site: KeySite, challenge: bytes, answer: str) -> NewKey:
    """The key behind an answer; KeyRefused when it is not one to this challenge on this site."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
        )
    except NO_ANSWER as error:
        raise KeyRefused(type(error).__name__) from None
    return NewKey(found.credential_id.hex(), found.credential_public_key, found.sign_count)


def ask_to_prove(site: KeySite, credentials: Sequence[str]) -> Asked:
    """Ask for a signature by one of these keys. The password came before, so that touching the key is enough."""
    challenge = secrets.token_bytes(32)
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=_known(credentials),
        user_verification=UserVerificationRequirement.DISCOURAGED,
    )
    return Asked(webauthn.options_to_json(options), challenge)


def credential_of(answer: str) -> str:
    """The id in hex of the key that an answer says it is from; "" for what is no answer."""
    try:
        found = webauthn.helpers.parse_authentication_credential_json(answer[:LONGEST_ANSWER])
    except NO_ANSWER:
        return ""
    return found.raw_id.hex()


def proved(site: KeySite, challenge: bytes, answer: str, public_key: bytes, counter: int) -> int:
    """The key's new count of signatures; KeyRefused when the answer does not hold or the count went back (a copied key)."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=counter,
        )
    except NO_ANSWER as error:
        raise KeyRefused(type(error).__name__) from None
    return int(found.new_sign_count)
