"""Signed notes: a text with Ed25519 signatures under it (C2SP signed-note), and timestamped cosignatures (C2SP tlog-cosignature)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PLAIN, COSIGNED = 1, 4
"""Kinds of signature: over the text itself, and over the text with the time at which a witness saw it."""
MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 100
"""As many as Go's package reads."""
TIME_BYTES = 8
SIGNATURE_BYTES = 64


def is_key_name(text: str) -> bool:
    """Whether a key may be called so: neither plus signs nor spaces of any kind (Unicode's, as Go's package has it)."""
    return bool(text) and "+" not in text and not re.search(r"\s", text)


class BadNote(Exception):
    """The note cannot be read, or is not signed as it must be."""


@dataclass(frozen=True)
class Verifier:
    """A public key under a name, as it is published: ``name+key id+base64(kind and key)``."""

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or not self.name.isprintable():
            raise ValueError(f"{self.name!r} cannot be the name of a key")
        if self.kind not in {PLAIN, COSIGNED} or len(self.public) != 32:
            raise ValueError("only Ed25519 keys are known here")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> Verifier:
        """From the published form; ValueError where it is none or its parts do not belong together."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if len(key) != 33:
            raise ValueError(f"{text[:80]!r} is no verifier key")
        found = cls(name, key[0], key[1:])
        if found.key_id.hex() != key_id:
            raise ValueError(f"the key id of {text[:80]!r} does not belong to its key")
        return found

    def verified(self, text: bytes, signature: bytes) -> int | None:
        """The second at which it was signed (0 where the kind has no time); None where the signature is wrong."""
        at = 0
        if self.kind == COSIGNED:
            if len(signature) != TIME_BYTES + SIGNATURE_BYTES:
                return None
            at = int.from_bytes(signature[:TIME_BYTES], "big")
            signature, text = signature[TIME_BYTES:], _with_time(text, at)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return None
        return at


def _with_time(text: bytes, at: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % at + text


@dataclass(frozen=True)
class Signer:
    """A private key under a name. ``seed`` are its 32 secret bytes."""

    name: str
    seed: bytes
    kind: int = PLAIN

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        """What others need to check it."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return Verifier(self.name, self.kind, public)

    def line(self, text: bytes, at: int = 0) -> str:
        """The signature line over a note's text. ``at`` is the second of a cosignature."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        cosigned = self.kind == COSIGNED
        signature = key.sign(_with_time(text, at) if cosigned else text)
        if cosigned:
            signature = at.to_bytes(TIME_BYTES, "big") + signature
        return f"\u2014 {self.name} {base64.b64encode(self.verifier.key_id + signature).decode()}\n"


@dataclass(frozen=True)
class Signature:
    """One line under a note: whose it claims to be, and its bytes."""

    name: str
    key_id: bytes
    signature: bytes
    line: str


@dataclass(frozen=True)
class Note:
    """A note as read; nothing is verified yet. ``text`` ends with its line feed."""

    text: bytes
    signatures: tuple[Signature, ...]

    def signed_by(self, verifiers: Iterable[Verifier]) -> dict[Verifier, int]:
        """Which of the known keys signed it, and when. BadNote where a signature of a known key is wrong."""
        known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
        found: dict[Verifier, int] = {}
        for one in self.signatures:
            verifier = known.get((one.name, one.key_id))
            if verifier is None or verifier in found:
                continue
            at = verifier.verified(self.text, one.signature)
            if at is None:
                raise BadNote(f"the signature of {one.name} is wrong")
            found[verifier] = at
        return found


def read_note(data: bytes) -> Note:
    """Take a note apart; BadNote where its form is not that of a signed note."""
    if len(data) > MAX_NOTE:
        raise BadNote("the note is too long")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadNote("the note is not UTF-8") from None
    if any(char < " " and char != "\n" for char in whole):
        raise BadNote("the note holds control characters")
    text, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise BadNote("the note has no signatures")
    return Note(f"{text}\n".encode(), signature_lines(below))


def signature_lines(below: str) -> tuple[Signature, ...]:
    """The signatures in the lines under a note; BadNote where one is none."""
    lines = below.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise BadNote("the note has too many signatures")
    found = []
    for line in lines:
        parts = line.split(" ")
        try:
            data = base64.b64decode(parts[2], validate=True) if len(parts) == 3 else b""
        except ValueError:  # of which binascii.Error is one: text beyond ASCII gives the plain one
            data = b""
        if parts[0] != "\u2014" or len(data) < 5 or not is_key_name(parts[1]):
            raise BadNote("a signature line cannot be read")
        found.append(Signature(parts[1], data[:4], data[4:], f"{line}\n"))
    return tuple(found)
