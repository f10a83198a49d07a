"""What goes into the PDF engines and what comes out: plain frozen values that can cross a process border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

REFUSAL_CODES = (
    "not-a-pdf",
    "damaged",
    "password-required",
    "zero-pages",
    "too-large",
    "too-many-pages",
    "bomb",
    "timeout",
    "crashed",
    "unsupported",
    "signed-policy",
    "pdfa-policy",
    "bad-name",
    "glyph-missing",
    "output-invalid",
    "stamp-missing",
    "active-content",
    "no-key",
)
"""Every reason for which a PDF is refused; each has a text for people in both languages."""

MIB = 1024 * 1024


class PdfRefused(Exception):
    """A file or a copy is refused. ``code`` is one of REFUSAL_CODES; ``text`` is one English sentence for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        if code not in REFUSAL_CODES:
            raise ValueError(f"unknown refusal code {code!r}")
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class NoVerdict(PdfRefused):
    """A trouble of this machine cut the work off, and nothing is known of the file: later it may go well."""


class TooBusy(NoVerdict):
    """The time ran out, but the processor was hardly to be had."""

    def __init__(self) -> None:
        super().__init__("timeout", "The machine is too busy to work on the file now; try again.")


class CutOff(NoVerdict):
    """Whoever watched the work is gone, as when a process is stopped or the system is short of memory."""

    def __init__(self) -> None:
        super().__init__("crashed", "The work on the file was cut off; try again.")


@dataclass(frozen=True)
class Limits:
    """Caps on one child process and on one document. Bytes, seconds and counts.

    ``wall_seconds`` is also what all children together have that prepare, make and prove one copy, so that nobody waits longer
    for a file than for one child; ``cpu_seconds`` and ``memory_bytes`` each child has for itself. ``decoded_stream_bytes`` holds
    for each stream, ``decoded_total_bytes`` for the content of all pages of a document together.
    """

    source_bytes: int = 512 * MIB
    pages: int = 5_000
    objects: int = 1_000_000
    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 30
    wall_seconds: float = 30.0
    decoded_stream_bytes: int = 64 * MIB
    decoded_total_bytes: int = 256 * MIB


@dataclass(frozen=True)
class Permissions:
    """What the agreement lets a copy do. Advisory in PDF readers; the cover states the real terms."""

    encrypt: bool = True
    print: Literal["none", "low", "full"] = "full"
    copy_text: bool = True


@dataclass(frozen=True)
class OpenAccess:
    """Licence and source of an open-access text, named in the footer and on the cover."""

    licence: str
    source: str


@dataclass(frozen=True)
class CoverCitation:
    """The work as the cover names it. Empty strings where unknown."""

    title: str = ""
    authors: str = ""
    source: str = ""
    doi: str = ""


@dataclass(frozen=True)
class CopySpec:
    """All that makes one copy this reader's own.

    ``reader`` is None where the agreement says that no name is shown. ``check_url`` is the address behind the QR code.
    ``legends``, ``terms`` and ``notices`` are finished sentences in ``language``; the caller resolves codes to texts.
    """

    delivery: str
    library: str
    issued_on: date
    reader: str | None = None
    language: Literal["en", "zh"] = "en"
    citation: CoverCitation = field(default_factory=CoverCitation)
    agreement: str = ""
    legal_basis: str = ""
    terms: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    legends: tuple[str, ...] = ()
    expires: str = ""
    check_url: str = ""
    open_access: OpenAccess | None = None
    permissions: Permissions = field(default_factory=Permissions)


@dataclass(frozen=True)
class StampReport:
    """What drawing the stamp did.

    ``shown_name`` is what stands on the copy for the reader ("" when none is shown). ``name_fallback`` says that the name
    could not be drawn and ``[reader]`` plus the delivery number stands instead. ``overlap`` lists 1-based article pages
    without a free band for the footer.
    """

    pages: int
    shown_name: str
    name_fallback: bool
    overlap: tuple[int, ...]


@dataclass(frozen=True)
class CopyReport:
    """The summary of one finished and verified copy; the same keys as the JSON of ``rushlight pdf stamp``.

    ``notes`` and ``engine_reason`` are codes of ``drm/pdf/notes.toml``: what people should know, and why this engine.
    """

    engine: str
    pages: int
    bytes: int
    sha256: str
    etag: str
    encrypted: bool
    permissions: Mapping[str, object]
    delivery: str
    removed: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    shown_name: str = ""
    name_fallback: bool = False
    overlap: tuple[int, ...] = ()
    fallback_reason: str | None = None
    base_len: int = 0
    tail_len: int = 0
    master_id: str | None = None
    wm_version: int = 0
    notes: tuple[str, ...] = ()
    engine_reason: str = ""
