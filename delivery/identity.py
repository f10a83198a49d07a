"""Signing in by the house of one's own institution (OpenID Connect): what the provider must do, and what we go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Started:
    """Where to send the browser, and what must be kept with it until it comes back."""

    address: str
    state: str
    nonce: str
    verifier: str


class IdentityProvider(Protocol):
    """An OpenID provider. Unavailable when it cannot be reached, NotAllowed when what it says does not hold."""

    @property
    def issuer(self) -> str:
        """Its name, which together with the subject names a person for good."""

    def start(self, back: str) -> Started:
        """Begin a sign-in that ends at the address ``back``."""

    def finish(self, code: str, back: str, nonce: str, verifier: str) -> Mapping[str, object]:
        """The verified claims behind a code."""

    def leave(self, back: str) -> str:
        """Where to sign out at the provider too; "" when it has no such place."""


@dataclass(frozen=True)
class OutsideRules:
    """Who may come in by the provider. ``libraries`` are those it speaks for; new readers are made in the one that the claim
    names, or the first. ``apps`` are reader and staff. ``title`` stands on the button.
    """

    title: str = ""
    libraries: tuple[str, ...] = ()
    apps: frozenset[str] = frozenset()
    library_claim: str = ""
    category_claim: str = ""
    card_claim: str = ""
