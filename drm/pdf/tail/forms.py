"""Which stamp forms a document needs: one for each page size and place of the footer, or one for every page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drm.pdf.extents import Box
from drm.pdf.footer import Footer, fit_footer, footer_length, page_scale
from drm.pdf.geometry import View
from drm.pdf.glyphs import Lettering
from drm.pdf.ink import Band
from drm.pdf.stamp import StampForm, page_forms
from drm.pdf.stamp_text import footer_text, stamp_strings
from drm.pdf.tail.values import FormSlot
from drm.pdf.values import CopySpec

MOST_FORMS = 16
"""Forms that a tail draws, at most; pages of rarer sizes get the form of the likest common one, scaled."""


@dataclass(frozen=True)
class Slots:
    """The forms of a document, which of them each page has, and the pages (from 1) without a free band."""

    forms: tuple[StampForm, ...]
    slots: tuple[FormSlot, ...]
    by_page: tuple[int, ...]
    overlap: tuple[int, ...]
    language: str


def choose_forms(
    views: Sequence[View],
    typical: CopySpec,
    source: Path,
    password: str,
    boxes: Callable[[int], list[Box] | None],
    *,
    per_page: bool,
) -> Slots:
    """The forms for copies like ``typical``; its footer says how much room is looked for, ``boxes`` where ink may be."""
    lettering, words = Lettering(), footer_text(typical, stamp_strings(typical))

    def footer(width: float, height: float, band: Band) -> Footer:
        return fit_footer(lettering, words, footer_length(width, height, band)[1], page_scale(width, height))

    wanted = page_forms(footer, views, source, password, boxes)
    if not per_page:
        wanted = _fewer(wanted)
    forms = tuple(wanted) if per_page else tuple(dict.fromkeys(wanted))
    places = {form: index for index, form in enumerate(forms)}
    by_page = tuple(range(len(wanted))) if per_page else tuple(places[form] for form in wanted)
    slots = tuple(
        FormSlot(
            0, form.width, form.height, form.band, footer(form.width, form.height, form.band).thickness, form.overlap
        )
        for form in forms
    )
    overlap = tuple(page for page, form in enumerate(wanted, start=1) if form.overlap)
    return Slots(forms, slots, by_page, overlap, typical.language)


def _fewer(wanted: list[StampForm]) -> list[StampForm]:
    common = [form for form, _ in Counter(wanted).most_common(MOST_FORMS)]
    if len(set(wanted)) <= MOST_FORMS:
        return wanted
    return [form if form in common else min(common, key=lambda one: _unlike(one, form)) for form in wanted]


def _unlike(one: StampForm, other: StampForm) -> float:
    """How different two forms are in shape; a free band counts as far from none."""
    shape, wanted = one.width / one.height, other.width / other.height
    return max(shape / wanted, wanted / shape) + (10.0 if one.overlap != other.overlap else 0.0)
