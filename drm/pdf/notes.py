"""What was done to a file, as stable codes with a sentence for people in each language."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from drm.pdf.judging import NAME_TREES

REPAIRS = {
    "structure": "repaired",
    "encryption": "publisher-restrictions",
    "pdfa-claim": "pdfa-claim-dropped",
    "pdfa-kept": "pdfa-kept",
    "signature": "signature-dropped",
    "hidden-layers": "hidden-layers",
}
REMOVALS = {
    **dict.fromkeys(("form", "XFA"), "form-flattened"),
    "letters of a value": "value-not-drawn",
    **dict.fromkeys(("flattened note", "ground of a note"), "notes-flattened"),
    **dict.fromkeys(("EmbeddedFiles", "EmbeddedFile", "EF", "RF", "AF", "Collection"), "attachments-removed"),
    **dict.fromkeys(
        ("external data", "reference", "OPI", "Alternates", "PostScript", "DestOutputProfileRef"),
        "external-content-removed",
    ),
    **dict.fromkeys(
        ("PieceInfo", "Thumb", "SpiderInfo", "Legal", "Requirements", "Perms", "DSS", "Threads"), "hidden-data-removed"
    ),
    **dict.fromkeys(("NeedsRendering", "signature"), ""),
    **dict.fromkeys((key[1:] for key in NAME_TREES if key != "/EmbeddedFiles"), "active-content-removed"),
}
"""The note for each kind that sanitising removes; every other kind is something active. "" where another note says it."""


def notes_of(
    removed: Iterable[str], repaired: Iterable[str], *, name_fallback: bool = False, overlap: bool = False
) -> tuple[str, ...]:
    """The codes of what people should know of a copy, each once, the gravest first."""
    found = [REPAIRS[what] for what in repaired if what in REPAIRS]
    found += [REMOVALS.get(what.partition("*")[0], "active-content-removed") for what in removed]
    found += ["name-fallback"] * name_fallback + ["footer-overlap"] * overlap
    return tuple(code for code in note_sentences() if code in found)


@functools.cache
def note_sentences() -> Mapping[str, Mapping[str, str]]:
    """The sentence of each code by language."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("notes.toml").read_text("utf-8"))
    return found


def note_texts(codes: Iterable[str], language: str) -> tuple[str, ...]:
    """The sentences of these codes."""
    return tuple(note_sentences()[code][language] for code in codes)
