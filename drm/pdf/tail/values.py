"""Masters and tails as plain values: what is kept of a prepared document, and what makes one copy of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from drm.pdf.ink import Band

ENGINE_VERSION = 8
"""Raised with every change that alters the bytes of tails; deliveries remember it."""

WM_VERSION = 0
"""The version of the hidden marks: none yet."""

Layout = Literal["object-streams", "classic"]


@dataclass(frozen=True)
class FormSlot:
    """One stamp form that the tail must supply: its object number, its size in points, and the place of the footer.

    ``room`` is the thickness for which the band was found free; ``overlap`` says that there was no free band.
    """

    number: int
    width: float
    height: float
    band: Band
    room: float
    overlap: bool


@dataclass(frozen=True)
class MasterFont:
    """A font embedded in the master. ``texts`` holds the text of each code; "" for codes that are never shown."""

    name: str
    number: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Master:
    """What personalising needs to know of a prepared file, without ever opening it.

    ``id`` is the SHA-256 of the master's bytes. ``prev`` is the offset of its index and ``size`` the first object number
    that it does not use. ``root`` to ``forms`` are the numbers that its index leaves free for the tail; ``states`` is
    the object with the graphics states, which it has. ``secret`` is the
    wrapped file key, ``key_version`` the site key that opens it; ``user`` and ``owner`` are /U and /O for copies that
    open without a password. ``pages`` counts the article's pages, without the cover.
    """

    id: str
    layout: Layout
    encrypted: bool
    base_len: int
    prev: int
    size: int
    catalogue: bytes
    root: int
    info: int
    metadata: int
    encrypt: int
    resources: int
    states: int
    cover: tuple[int, ...]
    forms: tuple[FormSlot, ...]
    fonts: tuple[MasterFont, ...]
    cover_size: tuple[float, float]
    tagged: bool
    first_id: bytes
    pages: int
    per_page: bool = False
    overlap: tuple[int, ...] = ()
    secret: bytes = b""
    key_version: str = ""
    user: bytes = b""
    owner: bytes = b""
    engine_version: int = ENGINE_VERSION
    wm_version: int = WM_VERSION
    source_sha256: str = ""
    removed: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """By the id, which all the rest follows from: masters are keys of caches on a path where microseconds count."""
        return hash(self.id)


@dataclass(frozen=True)
class Tail:
    """The bytes that make a master one reader's copy. ``length`` is the size of the whole copy."""

    data: bytes
    sha256: str
    master_id: str
    length: int
    pages: int
    delivery: str
    encrypted: bool
    shown_name: str
    name_fallback: bool
    overlap: tuple[int, ...]

    @property
    def etag(self) -> str:
        """The strong entity tag of the copy (RFC 9110, 8.8.3), known without building it."""
        return etag_of(self.master_id, self.sha256)


def etag_of(master_id: str, tail_sha256: str) -> str:
    """The strong entity tag of master and tail."""
    return f'"{hashlib.sha256(f"{master_id}|{tail_sha256}".encode()).hexdigest()}"'


BINARY = ("catalogue", "first_id", "secret", "user", "owner")
LISTS = ("cover", "overlap", "removed", "repaired", "cover_size")


def master_to(master: Master) -> dict[str, Any]:
    """A master's record as plain JSON values."""
    content = asdict(master)
    for name in BINARY:
        content[name] = content[name].hex()
    return content


def master_from(content: Mapping[str, Any]) -> Master:
    """A master's record from plain JSON values. ValueError where it is none."""
    try:
        forms = tuple(FormSlot(**{**form, "band": Band(**form["band"])}) for form in content["forms"])
        fonts = tuple(MasterFont(font["name"], font["number"], tuple(font["texts"])) for font in content["fonts"])
        plain = {name: tuple(content[name]) for name in LISTS}
        binary = {name: bytes.fromhex(content[name]) for name in BINARY}
        return Master(**{**content, **plain, **binary, "forms": forms, "fonts": fonts})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no record of a master: {error}") from None
