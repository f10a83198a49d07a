"""The words of the stamp: what stands in the footer and along the diagonal."""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

from drm.pdf.fonts import clusters
from drm.pdf.names import clean_text, display_name, is_drawable
from drm.pdf.values import CopySpec, PdfRefused
from drm.pdf.wording import short_date

DOT = " · "
OMITTED = "[…]"
"""Stands in a citation for what the fonts cannot draw."""


@dataclass(frozen=True)
class StampStrings:
    """What every page of a copy must carry. ``name_shown`` is "" where no name is shown."""

    name_shown: str
    delivery: str
    name_fallback: bool = False


def stamp_strings(spec: CopySpec) -> StampStrings:
    """The name as shown and the delivery number, as text extraction gives them back from each page."""
    delivery = printable(spec.delivery)
    if not delivery or not delivery.isascii():
        raise PdfRefused("glyph-missing", "A delivery number must consist of plain ASCII characters.")
    if spec.reader is None:
        return StampStrings("", delivery)
    name, fallback = display_name(spec.reader, delivery)
    return StampStrings(name, delivery, fallback)


@functools.lru_cache(maxsize=4096)
def printable(text: str, lenient: bool = False) -> str:
    """A text cleaned for print.

    Raises PdfRefused ``glyph-missing`` where the fonts lack something; ``lenient`` puts ``[…]`` there instead, which
    is for citations only: they come from publishers and may be in any script.
    """
    cleaned = clean_text(text)
    if is_drawable(cleaned):
        return cleaned
    if not lenient:
        missing = next(cluster for cluster in clusters(cleaned) if not is_drawable(cluster))
        codes = " ".join(f"U+{ord(character):04X}" for character in missing)
        raise PdfRefused("glyph-missing", f"The fonts of copies have no glyph for {codes} in a fixed text.")
    kept = ""
    for word in cleaned.split(" "):
        part = word if is_drawable(word) else OMITTED
        if not (part == OMITTED and kept.endswith(OMITTED)):
            kept = f"{kept} {part}" if kept else part
    return kept


def right_to_left_reading(text: str) -> str:
    """How pdfium extracts this text from a document whose ViewerPreferences say ``/Direction /R2L``.

    There it takes every line for right-to-left: runs of letters and runs of digits keep their order inside, the runs
    themselves come out backwards. Brackets, which pdfium mirrors besides, are not followed here. Who looks for a stamp
    in such a document must look for this.
    """
    runs: list[tuple[str, str]] = []
    for character in text:
        kind = _reading_kind(character)
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1] + character)
        else:
            runs.append((kind, character))
    return "".join(run[::-1] if kind == "neutral" else run for kind, run in reversed(runs))


def _reading_kind(character: str) -> str:
    direction = unicodedata.bidirectional(character)
    if direction == "L":
        return "letter"
    return "weak" if direction in {"EN", "AN", "ES", "ET", "CS", "NSM", "BN"} else "neutral"


@dataclass(frozen=True)
class FooterText:
    """The footer: the library, set bold, then who and which; on the right what the reader must know."""

    library: str
    rest: str
    right: str


def footer_text(spec: CopySpec, strings: StampStrings) -> FooterText:
    """The words of the footer, without regard to how much room there is."""
    parts = [strings.delivery, short_date(spec.issued_on, spec.language)]
    if strings.name_shown:
        parts.append(strings.name_shown)
    if spec.open_access is not None:
        right = DOT.join(filter(None, (printable(spec.open_access.licence), printable(spec.open_access.source))))
    else:
        gap = "" if spec.language == "zh" else " "
        right = gap.join(map(printable, spec.legends or spec.terms[:1]))
    return FooterText(printable(spec.library), DOT.join(parts), right)


def diagonal_text(spec: CopySpec, strings: StampStrings) -> str:
    """The line across the page."""
    day = short_date(spec.issued_on, spec.language)
    return DOT.join(filter(None, (strings.name_shown, strings.delivery, printable(spec.library), day)))


def check_texts(spec: CopySpec) -> None:
    """Raises PdfRefused ``glyph-missing`` when any fixed text of the copy cannot be drawn."""
    fixed = [spec.library, spec.agreement, spec.legal_basis, spec.expires, *spec.terms, *spec.notices, *spec.legends]
    if spec.open_access is not None:
        fixed += [spec.open_access.licence, spec.open_access.source]
    for text in (*fixed, spec.check_url):
        printable(text)
