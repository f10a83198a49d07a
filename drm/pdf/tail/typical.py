"""The fonts that go into a master: what any Latin name needs, and the fixed texts of the copies that are expected."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from drm.pdf.cover import lay_out_cover
from drm.pdf.fonts import REGULAR, font_file
from drm.pdf.footer import draw_diagonal, draw_in_band, fit_footer, footer_length, page_scale
from drm.pdf.glyphs import AnySubset, Lettering
from drm.pdf.letter_font import LETTER
from drm.pdf.plain_font import PLAIN, plain_font
from drm.pdf.stamp import StampForm
from drm.pdf.stamp_text import diagonal_text, footer_text, stamp_strings
from drm.pdf.values import CopySpec
from drm.pdf.wording import WORDS, long_date, short_date

ALWAYS = string.ascii_letters + string.digits + " .,:'-·"
WESTERN = "".join(one for one in plain_font().widths if one.isalpha() and not one.isascii())
EASTERN = "ĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĻļĽľŁłŃńŅņŇňŐőŔŕŘřŚśŞşŢţŤťŪūŮůŰűŲųŹźŻżȘșȚț"
"""The letters with which names of Europe are written beyond ASCII: those of the plain font, and others that are common."""

TINY, ROOMY = 50 * 1024, 400 * 1024
"""Bytes of a document up to which nobody minds four kilobytes more, and from which on these letters are a hundredth of it at
most. A master has them once; without them each tail, of which one is kept for every copy, brings along what its name needs."""

TYPICAL_DAYS = tuple(date(2026, month, day) for month, day in zip(range(1, 13), range(17, 29), strict=True))


class _Collector(Lettering):
    """A lettering that draws nothing anybody keeps, only to learn which characters are drawn with which font."""

    def always(self) -> None:
        """Takes what names and delivery numbers are made of."""
        self._drawn(font_file(PLAIN), ALWAYS, 1)

    def letters(self) -> None:
        """Takes the letters of names of Europe."""
        self._drawn(font_file(PLAIN), WESTERN, 1)
        self._drawn(font_file(LETTER), EASTERN, 1)


def typical_copy(spec: CopySpec | None = None) -> CopySpec:
    """What copies will be like where nobody says: a long name and a long footer, so that bands have room for both."""
    return spec or CopySpec(
        delivery="RL-0000-0000",
        library="Rushlight",
        issued_on=date(2026, 9, 30),
        reader="Alexandra Montgomery-Fitzwilliam",
    )


def master_fonts(
    typical: CopySpec, forms: Sequence[StampForm], cover: tuple[float, float], source_bytes: int
) -> list[AnySubset]:
    """The fonts of a master of a document of so many bytes. What a copy needs beyond them, its tail brings along."""
    collector = _Collector()
    collector.always()
    if source_bytes <= TINY or source_bytes >= ROOMY:
        collector.letters()
    words = WORDS[typical.language]
    checked = (words["check"], words["answers"], typical.check_url) if typical.check_url else ()
    for text in (*checked, *_dates(typical.language)):
        collector.show(text, REGULAR, 1, 0, 0)
    strings = stamp_strings(typical)
    spec = replace(typical, check_url="")
    for block in lay_out_cover(collector, spec, strings, cover).blocks:
        for line in block.lines:
            collector.show(line.text, line.face, 1, 0, 0)
    size = (forms[0].width, forms[0].height)
    footer = fit_footer(
        collector, footer_text(spec, strings), footer_length(*size, forms[0].band)[1], page_scale(*size)
    )
    draw_in_band(collector, footer, size, forms[0].band, overlap=False)
    draw_diagonal(collector, diagonal_text(spec, strings), *size)
    return list(collector.subsets.values())


def _dates(language: str) -> Iterator[str]:
    for day in TYPICAL_DAYS:
        yield long_date(day, language)
        yield short_date(day, language)
