"""Footers drawn once for all copies under an agreement, with a gap for the words that are one reader's own."""

from __future__ import annotations

from dataclasses import dataclass

from drm.pdf.fonts import BOLD, REGULAR, Face
from drm.pdf.footer import SIZE, draw_in_band, fit_footer, footer_length, page_scale
from drm.pdf.ink import Band
from drm.pdf.stamp_text import DOT, FooterText
from drm.pdf.tail.lettering import TailLettering

GAP = "\ue000"
"""Stands for what is filled in later; no text for print holds it, because it is a private character."""

HOLE = b"\0"


class Moulding(TailLettering):
    """Draws as the lettering does that it was taken from, but for a text that ends with GAP: that is left out."""

    @classmethod
    def of(cls, lettering: TailLettering) -> Moulding:
        """One with the characters of ``lettering``."""
        other = cls(lettering.tables)
        other.take_from(lettering)
        return other

    def width(self, text: str, face: Face, size: float) -> float:
        """How wide the text is; a gap has no width."""
        return 0.0 if text.endswith(GAP) else super().width(text, face, size)

    def shown(self, text: str, face: Face, size: float) -> bytes:
        """The operators that show the text, HOLE for a gap."""
        return HOLE if text.endswith(GAP) else super().shown(text, face, size)


@dataclass(frozen=True)
class FooterMould:
    """A footer in one row of the usual size on one side of a page: the operators before and behind a reader's words.

    ``library`` is its width in em, ``rest`` that of what stands on the right with the space before it; ``length`` and
    ``size`` are in points, as in ``fit_footer``.
    """

    before: bytes
    after: bytes
    size: float
    thickness: float
    length: float
    library: float
    rest: float

    def holds(self, width: float) -> bool:
        """Whether words of so many em leave the footer in one row of the usual size."""
        return self.length / (self.library + width + self.rest) >= self.size


def footer_mould(
    lettering: TailLettering, words: FooterText, page: tuple[float, float], band: Band, *, overlap: bool
) -> FooterMould | None:
    """The mould for footers with this library and this text on the right; None where they are not drawn in one row."""
    moulding, scale = Moulding.of(lettering), page_scale(*page)
    _, length = footer_length(*page, band)
    footer = fit_footer(moulding, FooterText(words.library, GAP, words.right), length, scale)
    if len(footer.rows) > 1 or footer.rows[0].size < SIZE * scale or footer.rows[0].bold != words.library:
        return None
    before, hole, after = draw_in_band(moulding, footer, page, band, overlap=overlap).partition(HOLE)
    if not hole or moulding.texts() != lettering.texts():
        return None
    library = moulding.width(words.library, BOLD, 1)
    rest = (2.0 if words.right else 0.0) + moulding.width(words.right, REGULAR, 1)
    return FooterMould(before, after, SIZE * scale, footer.thickness, length, library, rest)


def own_words(words: FooterText) -> str:
    """What a mould's gap takes: everything between the library and the right end."""
    return DOT + words.rest if words.library else words.rest
