"""The stamp of one copy, drawn with its master's fonts into its master's page sizes."""

from __future__ import annotations

from dataclasses import dataclass, field

from drm.pdf.footer import Footer, draw_diagonal, draw_in_band, fit_footer, footer_length, page_scale
from drm.pdf.ink import Band
from drm.pdf.stamp_text import FooterText, StampStrings, diagonal_text
from drm.pdf.tail.lettering import TailLettering
from drm.pdf.tail.values import FormSlot, Master
from drm.pdf.values import CopySpec

SLACK = 0.5
"""Points by which a footer may be thicker than the room that was found for it."""


@dataclass(frozen=True)
class Copy:
    """The copy being made: its master, the words on it, and the lettering that all its parts share."""

    master: Master
    spec: CopySpec
    strings: StampStrings
    words: FooterText
    lettering: TailLettering
    drawn: dict[tuple[float, float, Band, bool], bytes] = field(default_factory=dict)

    def in_band(self, footer: Footer, size: tuple[float, float], band: Band, *, overlap: bool) -> bytes:
        """The operators of the footer on a page of this size, drawn once: the cover mostly has it as the pages have."""
        key = (*size, band, overlap)
        if key not in self.drawn:
            self.drawn[key] = draw_in_band(self.lettering, footer, size, band, overlap=overlap)
        return self.drawn[key]

    def footer(self, width: float, height: float, band: Band) -> Footer:
        """The footer fitted to one side of a page of this size."""
        _, length = footer_length(width, height, band)
        return fit_footer(self.lettering, self.words, length, page_scale(width, height))


def draw_stamps(copy: Copy) -> tuple[list[bytes], bool]:
    """The content of each form in the master's order, and whether a footer outgrew the band that was found for it.

    Forms of one size and band are drawn once.
    """
    diagonal = diagonal_text(copy.spec, copy.strings)
    drawn: dict[tuple[float, float, Band, bool], bytes] = {}
    contents, outgrown = [], False
    for form in copy.master.forms:
        key = (form.width, form.height, form.band, form.overlap)
        if key not in drawn:
            content, thick = _drawn(copy, form, diagonal)
            drawn[key], outgrown = content, outgrown or thick
        contents.append(drawn[key])
    return contents, outgrown


def _drawn(copy: Copy, form: FormSlot, diagonal: str) -> tuple[bytes, bool]:
    size = (form.width, form.height)
    footer = copy.footer(*size, form.band)
    outgrown = not form.overlap and footer.thickness > form.room + SLACK
    content = draw_diagonal(copy.lettering, diagonal, *size)
    content += copy.in_band(footer, size, form.band, overlap=form.overlap or outgrown)
    return content, outgrown
