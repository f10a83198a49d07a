"""The stamp of one copy, drawn with its master's fonts into its master's page sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from drm.pdf.fonts import REGULAR
from drm.pdf.footer import draw_diagonal, draw_in_band, fit_footer, footer_length, page_scale
from drm.pdf.ink import Band
from drm.pdf.stamp_text import FooterText, StampStrings, diagonal_text
from drm.pdf.tail.lettering import TailLettering
from drm.pdf.tail.moulds import FooterMould, footer_mould, own_words
from drm.pdf.tail.values import FormSlot, Master
from drm.pdf.values import CopySpec

SLACK = 0.5
"""Points by which a footer may be thicker than the room that was found for it."""

Place: TypeAlias = tuple[float, float, Band, bool]
"""Width and height of a page, the side for its footer, and whether that lies over ink."""


@dataclass(frozen=True)
class Copy:
    """The copy being made: its master, the words on it, and the lettering that all its parts share.

    ``moulds`` are those of all copies under its agreement, and ``common`` is the lettering that these begin with.
    """

    master: Master
    spec: CopySpec
    strings: StampStrings
    words: FooterText
    lettering: TailLettering
    common: TailLettering
    moulds: dict[Place, FooterMould | None]
    drawn: dict[Place, tuple[bytes, bool]] = field(default_factory=dict)

    def footer(self, place: Place, room: float) -> tuple[bytes, bool]:
        """The operators of the footer, and whether it is thicker than ``room``, which puts it over ink.

        Drawn once for a place: the cover mostly has it as the pages have.
        """
        found = self.drawn.get(place)
        if found is None or found[1]:
            found = self.drawn[place] = self._moulded(place, room) or self._fitted(place, room)
        return found

    def _moulded(self, place: Place, room: float) -> tuple[bytes, bool] | None:
        """The footer from a mould; None where none fits."""
        if place not in self.moulds:
            width, height, band, overlap = place
            self.moulds[place] = footer_mould(self.common, self.words, (width, height), band, overlap=overlap)
        mould, words = self.moulds[place], own_words(self.words)
        if mould is None or not mould.holds(self.lettering.width(words, REGULAR, 1)):
            return None
        if not place[3] and mould.thickness > room + SLACK:
            return None
        return mould.before + self.lettering.shown(words, REGULAR, mould.size) + mould.after, False

    def _fitted(self, place: Place, room: float) -> tuple[bytes, bool]:
        width, height, band, overlap = place
        _, length = footer_length(width, height, band)
        footer = fit_footer(self.lettering, self.words, length, page_scale(width, height))
        outgrown = not overlap and footer.thickness > room + SLACK
        drawn = draw_in_band(self.lettering, footer, (width, height), band, overlap=overlap or outgrown)
        return drawn, outgrown


def draw_stamps(copy: Copy) -> tuple[list[bytes], bool]:
    """The content of each form in the master's order, and whether a footer outgrew the band that was found for it.

    Forms of one size and band are drawn once.
    """
    diagonal = diagonal_text(copy.spec, copy.strings)
    drawn: dict[Place, tuple[bytes, bool]] = {}
    contents, outgrown = [], False
    for form in copy.master.forms:
        place = (form.width, form.height, form.band, form.overlap)
        if place not in drawn:
            drawn[place] = _drawn(copy, form, place, diagonal)
        content, thick = drawn[place]
        contents.append(content)
        outgrown = outgrown or thick
    return contents, outgrown


def _drawn(copy: Copy, form: FormSlot, place: Place, diagonal: str) -> tuple[bytes, bool]:
    footer, outgrown = copy.footer(place, form.room)
    return draw_diagonal(copy.lettering, diagonal, form.width, form.height) + footer, outgrown
